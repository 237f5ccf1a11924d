"""A report as one page for people: it needs no network, runs no script, and can be printed."""

from collections.abc import Sequence
from html import escape

from recordings.figures import CATALOGUE, By, Figure, figure_of
from recordings.figures_span import Length
from recordings.report import Report, Values
from recordings.report_charts import Series, lines, rows, stacked
from recordings.report_text import HEADS
from recordings.report_words import amount, details, name, title

_MOST_NUMBERS = 15
"""So many numbers have a bar; all of them stand in the table."""
_STYLE = """
:root { --ink: #1b1f24; --faint: #5a6572; --rule: #d4dae0; --a: #1f5f99; --b: #e09f3e; --c: #8a9199; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 60rem; color: var(--ink); background: #fff;
  font: 15px/1.5 "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .2rem 0; color: var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; font-size: .85rem; }
td small, th small { display: block; color: var(--faint); font-weight: 400; }
th.words, td.words { text-align: left; }
td.words { color: var(--faint); font-size: .85rem; }
tbody th { font-size: 1rem; }
figure { margin: 1rem 0; break-inside: avoid; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 11px; fill: var(--faint); }
svg .grid { stroke: var(--rule); stroke-width: 1; }
rect.a, circle.a { fill: var(--a); } rect.b, circle.b { fill: var(--b); } rect.c, circle.c { fill: var(--c); }
polyline, line.a, line.b, line.c { fill: none; stroke-width: 2; }
polyline.a, line.a { stroke: var(--a); }
polyline.b, line.b { stroke: var(--b); stroke-dasharray: 6 3; }
polyline.c, line.c { stroke: var(--c); stroke-dasharray: 2 3; }
@media print { @page { size: A4; margin: 14mm; } body { padding: 0; max-width: none; font-size: 11px; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } thead { display: table-header-group; }
  tr, h2 { break-inside: avoid; } h2 { break-after: avoid; } .scroll { overflow: visible; } }
"""


def page(of: Report, city_zh: str, city_en: str, made: str) -> str:
    """The whole page. `made`: when, in the city's time."""
    heading = f"{city_zh} {city_en} · {title(of.span)}"
    tables = "".join(_by(of, by, found) for by, found in of.by.items() if not _is_only_day(of, by))
    return (
        '<!DOCTYPE html>\n<html lang="zh">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(heading)}</title><style>{_STYLE}</style></head>\n<body>"
        f"<h1>{escape(heading)}</h1><p>制表 made {escape(made)}{_running(of)}</p>"
        f"<h2>指标 Figures</h2>{_totals(of)}<h2>图 Charts</h2>{_charts(of)}{tables}</body>\n</html>\n"
    )


def _is_only_day(of: Report, by: By) -> bool:
    return by is By.DAY and of.span.length is Length.DAY


def _running(of: Report) -> str:
    return f" · 进行中 running {of.running:,}" if of.running else ""


def _totals(of: Report) -> str:
    body = "".join(_total(of, figure) for figure in CATALOGUE)
    head = "<tr><th>指标 figure</th><th>值 value</th><th class=words>公式 formula</th></tr>"
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _total(of: Report, figure: Figure) -> str:
    zh, en = map(escape, name(figure, of.within_ms))
    value = of.total[figure.id]
    told = f"{escape(amount(figure, value))}<small>{escape(details(figure, value))}</small>"
    words = f"{escape(figure.formula)} <small>{escape(figure.source)}</small>"
    return f'<tr><th>{zh}<small>{en}</small></th><td>{told}</td><td class="words">{words}</td></tr>'


def _by(of: Report, by: By, found: dict[str, Values]) -> str:
    """A table with every figure that means something so; keys without any value are left out."""
    figures = [figure for figure in CATALOGUE if by in figure.by]
    body = "".join(
        f"<tr><td>{escape(key)}</td>{_cells(figures, values)}</tr>"
        for key, values in found.items()
        if any(value.numerator for value in values.values())
    )
    if not body:
        return ""
    heads = (map(escape, name(figure, of.within_ms)) for figure in figures)
    head = "".join(f"<th>{zh}<small>{en}</small></th>" for zh, en in heads)
    said = escape(HEADS[by])
    return (
        f'<h2>按{said}</h2><div class="scroll"><table><thead><tr><th>{said}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(figures: Sequence[Figure], values: Values) -> str:
    return "".join(f"<td>{escape(amount(one, values[one.id]))}</td>" for one in figures)


# --- charts ----------------------------------------------------------------------------------------


def _charts(of: Report) -> str:
    found = _in_time(of, By.HOUR)
    if of.span.length is not Length.DAY:
        found = [*_in_time(of, By.DAY), *found]
    numbers = list(of.by[By.NUMBER].items())[:_MOST_NUMBERS]
    calls = [values["calls"].numerator for _, values in numbers]
    if any(calls):
        found.append(rows("来电量 calls, 按号码 by number", [number for number, _ in numbers], calls))
    return "".join(found)


def _in_time(of: Report, by: By) -> list[str]:
    """How calls, rates and waits go over the day, or over the days."""
    of_each = list(of.by[by].values())
    labels = [key[-2:] if by is By.HOUR else key[5:] for key in of.by[by]]
    how = f"按{HEADS[by]}"
    answered, asked, calls = ([one[id_].numerator for one in of_each] for id_ in ("answered", "asked", "calls"))
    bars = (
        Series("人工接听 answered", "a", answered),
        Series("未接通 asked, not answered", "b", [one - other for one, other in zip(asked, answered, strict=True)]),
        Series("其他 others", "c", [one - other for one, other in zip(calls, asked, strict=True)]),
    )
    rates = [_series(of, id_, style, of_each) for id_, style in _RATES]
    waits = [_series(of, id_, style, of_each, 1000) for id_, style in _TIMES]
    return [
        stacked(f"来电 calls, {how}", labels, bars),
        lines(f"比率 rates, {how}", labels, rates, percent=True),
        lines(f"平均时长 average times, {how}", labels, waits, percent=False),
    ]


_RATES = (("connection_rate", "a"), ("answered_within", "b"), ("occupancy", "c"))
_TIMES = (("waiting", "b"), ("talking", "a"), ("wrap_up", "c"))


def _series(of: Report, id_: str, style: str, each: Sequence[Values], divisor: int = 1) -> Series:
    results = [values[id_].result for values in each]
    divided = [None if one is None else one / divisor for one in results]
    return Series(" ".join(name(figure_of(id_), of.within_ms)), style, divided)
