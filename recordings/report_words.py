"""A report's figures as people read them."""

from recordings.figures import Figure, Unit, Value
from recordings.figures_span import Length, Span

NONE = "–"
"""There were no calls: neither 0 % nor 100 %."""

LENGTHS = {Length.DAY: "日报 day", Length.WEEK: "周报 week", Length.MONTH: "月报 month"}


def title(span: Span) -> str:
    """`周报 week 2026-W47, 2026-11-16 to 2026-11-22`."""
    days = "" if span.length is Length.DAY else f", {span.first} to {span.last}"
    return f"{LENGTHS[span.length]} {span.name}{days}"


def name(figure: Figure, within_ms: int) -> tuple[str, str]:
    """In Chinese and in English."""
    if figure.id == "answered_within":
        return f"{within_ms / 1000:g}秒接听率", f"answered within {within_ms / 1000:g} s"
    return figure.zh, figure.en


def amount(figure: Figure, value: Value) -> str:
    """`12,345`, `95.2 %`, `27.3 s` or NONE."""
    result = value.result
    if result is None:
        return NONE
    match figure.unit:
        case Unit.CALLS:
            return f"{result:,.0f}"
        case Unit.SHARE:
            return f"{100 * result:.1f} %"
        case Unit.TIME:
            return seconds(result)


def seconds(ms: float) -> str:
    """`27.3 s`."""
    return f"{ms / 1000:,.1f} s"


def details(figure: Figure, value: Value) -> str:
    """What a share is a share of, and how a time lies; empty where there is nothing to add."""
    if value.denominator is None or value.result is None:
        return ""
    match figure.unit:
        case Unit.SHARE if figure.id == "occupancy":
            hours = (part / 3_600_000 for part in (value.numerator, value.denominator))
            return "{:,.1f} of {:,.1f} h".format(*hours)
        case Unit.SHARE:
            return f"{value.numerator:,} of {value.denominator:,}"
        case _ if value.spread is not None:
            lie = value.spread
            return f"median {seconds(lie.median_ms)}, 95 % {seconds(lie.p95_ms)}, longest {seconds(lie.max_ms)}"
        case _:
            return f"{value.denominator:,} times"
