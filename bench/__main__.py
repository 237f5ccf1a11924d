"""`python -m bench`: what a day would be like, and how many seats it needs; `fairness`: the real Asterisk, measured."""

import sys

import typer

from bench.decision import decision
from bench.fairness_command import fairness
from bench.play import day
from bench.records_command import records
from bench.report_command import report

COMMANDS = (day, decision, fairness, records, report)
"""The first is meant when only options are given."""

app = typer.Typer(no_args_is_help=False, add_completion=False)
for command in COMMANDS:
    app.command()(command)


@app.callback()
def _several() -> None:
    """What the hotline can do, measured."""


if __name__ == "__main__":
    given = sys.argv[1:]
    named = bool(given) and (not given[0].startswith("-") or given[0] == "--help")
    app(given if named else [COMMANDS[0].__name__, *given])
