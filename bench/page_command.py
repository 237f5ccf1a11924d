"""`python -m bench page`: the kept results, written into docs/benchmarks.md with their pictures."""

from pathlib import Path
from typing import Annotated

import typer

from bench import page as benchmarks
from bench.comparison import RESULTS
from bench.page_plots import plots
from hotline.failing import CannotGoOn, plain_errors

_MEND = "run './setup.sh bench' and '.venv/bin/python -m bench page'"


def page(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if it is not what was kept.")] = False,  # noqa: FBT002
    results: Annotated[Path, typer.Option(help="Where the figures are kept.")] = RESULTS,
    into: Annotated[Path, typer.Option(help="The page, benchmarks.md, with its pictures beside it.")] = benchmarks.PAGE,
) -> None:
    """Write the kept results into docs/benchmarks.md: tables, targets, pictures. Some seconds."""
    pictures = into.with_suffix("")
    with plain_errors(benchmarks.PlaceMissing):
        if check:
            if wrong := benchmarks.outdated(into, pictures, results):
                raise CannotGoOn(f"not as the kept results are: {', '.join(wrong)}", _MEND)
            return
        # matplotlib is there only for this.
        from bench.plots import draw  # noqa: PLC0415

        draw(plots(benchmarks.write(into, results)), pictures)
    typer.echo(f"written: {into}")
