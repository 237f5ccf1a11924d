"""`hotline report`: the figures of a day, a week or a month, and the calls behind each."""

import sqlite3
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from hotline.cli_calls import Masked, kept_store
from hotline.failing import CannotGoOn, plain_errors
from hotline.options import CONFIG, DATA, AsJson, ConfigFolder, DataFolder
from recordings import mask as masks
from recordings import report_html, report_text, show
from recordings.figures import CATALOGUE, By, NoSuchFigure, figure_of
from recordings.figures_behind import Asked, NotTold, Part, behind
from recordings.figures_span import YEARS, Length, Span, read_span
from recordings.removal import now_utc_ms
from recordings.report import report
from recordings.schema import StoreTooNew
from settings.check import SettingsWrong, load
from settings.shapes import Settings

figures = typer.Typer(no_args_is_help=True, help="Figures of a day, a week or a month, and the calls behind them.")

Within = Annotated[
    int | None,
    typer.Option(min=0, max=3600, help="Answered in time: within so many seconds.", show_default="service.yaml"),
]
CsvFile = Annotated[
    Path | None, typer.Option(help="Write every value as a table; - to standard output.", show_default=False)
]
HtmlFile = Annotated[
    Path | None, typer.Option(help="Write one page with charts, for people and for print.", show_default=False)
]
_EXPECTED = (SettingsWrong, StoreTooNew, NoSuchFigure, NotTold, sqlite3.DatabaseError)


@figures.command()
def day(
    date: Annotated[str | None, typer.Argument(help="2026-11-21, in the city's time.", show_default="today")] = None,
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    within: Within = None,
    csv: CsvFile = None,
    html: HtmlFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell the figures of a day."""
    _tell(Length.DAY, date, config, data, within, csv, html, as_json=as_json)


@figures.command()
def week(
    date: Annotated[
        str | None, typer.Argument(help="2026-W47, or a day in it; Monday to Sunday.", show_default="this week")
    ] = None,
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    within: Within = None,
    csv: CsvFile = None,
    html: HtmlFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell the figures of a week."""
    _tell(Length.WEEK, date, config, data, within, csv, html, as_json=as_json)


@figures.command()
def month(
    date: Annotated[str | None, typer.Argument(help="2026-11, or a day in it.", show_default="this month")] = None,
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    within: Within = None,
    csv: CsvFile = None,
    html: HtmlFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell the figures of a month."""
    _tell(Length.MONTH, date, config, data, within, csv, html, as_json=as_json)


@figures.command()
def calls(
    figure: Annotated[str, typer.Argument(help="Its id: see 'bin/hotline report figures'.")],
    length: Annotated[Length, typer.Argument(help="Of the time.")] = Length.DAY,
    date: Annotated[str | None, typer.Argument(help="As for day, week and month.", show_default="today")] = None,
    by: Annotated[
        str | None, typer.Option(help="Only of this: number=12345, hour=9, day=2026-11-21, seat=8001, agent=1001.")
    ] = None,
    part: Annotated[Part, typer.Option(help="Of the figure.")] = Part.NUMERATOR,
    limit: Annotated[int, typer.Option(min=0, help="At most so many, the earliest; 0: all.")] = 100,
    config: ConfigFolder = CONFIG,
    data: DataFolder = DATA,
    within: Within = None,
    mask: Masked = False,
    as_json: AsJson = False,
) -> None:
    """List the very calls behind a figure, in the order in which they arrived."""
    with plain_errors(*_EXPECTED):
        settings = load(config)
        timezone = ZoneInfo(settings.city.timezone)
        kind, key = _told_apart(by)
        span = _span(length, date, timezone)
        asked = Asked(figure_of(figure), part, span, _within_ms(settings, within), kind, key)
        with kept_store(data) as store:
            found = behind(store, asked, timezone, now_utc_ms(), limit or -1)
            shown = (masks.record(one) if mask else one for one in found)
            if as_json:
                for one in shown:
                    typer.echo(show.as_json(one))
            else:
                Console().print(show.table(shown, timezone))


@figures.command("figures")
def catalogue() -> None:
    """List every figure: its id, names, formula and source."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for head in ("figure", "formula", "source"):
        table.add_column(head)
    for one in CATALOGUE:
        table.add_row(f"{one.id}\n{one.zh} {one.en}", one.formula, one.source)
    Console().print(table)


def _tell(
    length: Length,
    date: str | None,
    config: Path,
    data: Path,
    within: int | None,
    csv: Path | None,
    html: Path | None,
    *,
    as_json: bool,
) -> None:
    with plain_errors(*_EXPECTED):
        settings = load(config)
        timezone = ZoneInfo(settings.city.timezone)
        span = _span(length, date, timezone)
        asked_for_all = as_json or csv is not None or html is not None
        with kept_store(data) as store:
            found = report(store, span, timezone, now_utc_ms(), _within_ms(settings, within), people=asked_for_all)
        if html is not None:
            made = f"{datetime.now(timezone):%Y-%m-%d %H:%M}"
            html.write_text(report_html.page(found, settings.city.name.zh, settings.city.name.en, made), "utf-8")
        if csv == Path("-"):
            report_text.write_csv(found, sys.stdout)
        elif csv is not None:
            # With a mark at its beginning: without it spreadsheets take Chinese for something else.
            with csv.open("w", encoding="utf-8-sig", newline="") as file:
                report_text.write_csv(found, file)
        if as_json:
            typer.echo(report_text.as_json(found))
        if not asked_for_all:
            Console().print(report_text.draw(found))


def _span(length: Length, text: str | None, timezone: ZoneInfo) -> Span:
    """Raises CannotGoOn."""
    try:
        return read_span(length, text, datetime.now(timezone).date())
    except ValueError:
        mends = {Length.DAY: "2026-11-21", Length.WEEK: "2026-W47 or 2026-11-21", Length.MONTH: "2026-11"}
        raise CannotGoOn(
            f"{text!r} is no {length.value} that figures can be told of",
            f"write it as {mends[length]}, in the years {YEARS.start} to {YEARS.stop - 1}",
        ) from None


def _told_apart(text: str | None) -> tuple[By | None, str]:
    """What was written as number=12345, if anything was. Raises CannotGoOn."""
    if text is None:
        return None, ""
    name, _, key = text.partition("=")
    try:
        by = By(name)
    except ValueError:
        by = None
    if by is None or not key:
        raise CannotGoOn(f"{text!r} tells no calls apart", "write --by number=12345, hour=9, day=…, seat=… or agent=…")
    return by, key.zfill(2) if by is By.HOUR else key


def _within_ms(settings: Settings, within: int | None) -> int:
    return round(1000 * (settings.service.answered_within if within is None else within))
