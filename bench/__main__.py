"""`python -m bench`: every benchmark, the page that tells what was found, and a day of calls played."""

import signal

import typer

from bench.all_command import everything
from bench.ami_command import ami
from bench.calls_command import calls
from bench.compiler_command import compiler
from bench.decision import decision
from bench.fairness_command import fairness
from bench.inserts_command import inserts
from bench.page_command import page
from bench.play import day
from bench.records_command import records
from bench.report_command import report
from bench.speech_command import speech
from bench.waiting_command import waiting
from bench.web_command import web

COMMANDS = (ami, calls, compiler, day, decision, fairness, inserts, records, report, speech, web, waiting)

app = typer.Typer(no_args_is_help=True, add_completion=False)
for command in COMMANDS:
    app.command()(command)
app.command("all")(everything)
app.command()(page)


@app.callback()
def _several() -> None:
    """What the hotline can do, measured."""
    for number in (signal.SIGINT, signal.SIGTERM):  # In the background a shell has the first one ignored.
        signal.signal(number, signal.default_int_handler)  # Whoever is ended puts away what was started.


if __name__ == "__main__":
    app()
