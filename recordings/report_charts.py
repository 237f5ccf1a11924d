"""Charts of a report as SVG that stands in the page itself: no script, no font, no address."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH = 720
_HEIGHT = 220
_LEFT = 56
_RIGHT = 12
_TOP = 26
_BOTTOM = 34
_PLOT_WIDTH = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = _HEIGHT - _TOP - _BOTTOM
_ROW = 22
_MOST_LABELS = 24


@dataclass(frozen=True, slots=True)
class Series:
    """Values in a row, one for each label; None: there is none. `style`: a CSS class, `a`, `b` or `c`."""

    name: str
    style: str
    values: Sequence[float | None]


def stacked(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Bars, the parts of each on top of each other."""
    tops = [sum(one.values[place] or 0 for one in series) for place in range(len(labels))]
    scale = _Scale.of(max(tops, default=0))
    step = _PLOT_WIDTH / max(1, len(labels))
    parts = [*scale.grid("{:,.0f}"), *_below(labels)]
    for place, label in enumerate(labels):
        base = 0.0
        for one in series:
            value = one.values[place] or 0
            top, bottom = scale.y(base + value), scale.y(base)
            base += value
            if value:
                x = _LEFT + place * step + step * 0.1
                tip = f"<title>{escape(label)}: {escape(one.name)} {value:,.0f}</title>"
                parts.append(
                    f'<rect class="{one.style}" x="{x:.1f}" y="{top:.1f}" width="{step * 0.8:.1f}" '
                    f'height="{bottom - top:.1f}">{tip}</rect>'
                )
    return _svg(title, [*parts, *_legend(series, "rect")])


def lines(title: str, labels: Sequence[str], series: Sequence[Series], *, percent: bool) -> str:
    """A line for each series, broken where there is no value. Shares of 1 reach from 0 to 100 %."""
    most = max((value for one in series for value in one.values if value is not None), default=0)
    scale = _Scale(1, 0.25) if percent else _Scale.of(most)
    step = _PLOT_WIDTH / max(1, len(labels))
    parts = [*scale.grid("{:.0%}" if percent else "{:,.0f} s"), *_below(labels)]
    for one in series:
        points: list[str] = []
        for place, value in enumerate([*one.values, None]):
            if value is None:
                if len(points) > 1:
                    parts.append(f'<polyline class="{one.style}" points="{" ".join(points)}"/>')
                points = []
                continue
            x, y = _LEFT + (place + 0.5) * step, scale.y(value)
            points.append(f"{x:.1f},{y:.1f}")
            told = f"{value:.1%}" if percent else f"{value:,.1f} s"
            tip = f"<title>{escape(labels[place])}: {escape(one.name)} {told}</title>"
            parts.append(f'<circle class="{one.style}" cx="{x:.1f}" cy="{y:.1f}" r="2.6">{tip}</circle>')
    return _svg(title, [*parts, *_legend(series, "line")])


def rows(title: str, labels: Sequence[str], values: Sequence[float]) -> str:
    """Bars that lie, each with its value, the first one on top."""
    most = max(values, default=0) or 1
    room = _PLOT_WIDTH - 70
    parts = []
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = _TOP + place * _ROW
        width = room * value / most
        parts += [
            f'<text x="{_LEFT - 6}" y="{y + 14}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="a" x="{_LEFT}" y="{y + 3}" width="{width:.1f}" height="{_ROW - 7}"/>',
            f'<text x="{_LEFT + width + 5:.1f}" y="{y + 14}">{value:,.0f}</text>',
        ]
    return _svg(title, parts, _TOP + len(labels) * _ROW + 6)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to heights."""

    most: float
    step: float

    @staticmethod
    def of(most: float) -> "_Scale":
        """Ends with a round number that is not below `most`, in two to five steps."""
        step = 1.0
        while step * 5 < most:
            step *= 2.5 if str(step)[0] == "2" else 2
        return _Scale(max(step * -(-most // step), step), step)

    def y(self, value: float) -> float:
        return _TOP + _PLOT_HEIGHT * (1 - value / self.most)

    def grid(self, form: str) -> list[str]:
        """Lines across, each with its value."""
        found: list[str] = []
        for mark in range(round(self.most / self.step) + 1):
            y = self.y(mark * self.step)
            found.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>')
            text = form.format(mark * self.step)
            found.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
        return found


def _below(labels: Sequence[str]) -> list[str]:
    """The labels, as many as there is room for."""
    step = _PLOT_WIDTH / max(1, len(labels))
    each = -(-len(labels) // _MOST_LABELS)
    return [
        f'<text x="{_LEFT + (place + 0.5) * step:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">'
        f"{escape(label)}</text>"
        for place, label in enumerate(labels)
        if place % each == 0
    ]


def _legend(series: Sequence[Series], kind: str) -> list[str]:
    found: list[str] = []
    x = float(_LEFT)
    for one in series:
        found.append(
            f'<rect class="{one.style}" x="{x:.0f}" y="6" width="10" height="10"/>'
            if kind == "rect"
            else f'<line class="{one.style}" x1="{x:.0f}" y1="11" x2="{x + 14:.0f}" y2="11"/>'
        )
        found.append(f'<text x="{x + 18:.0f}" y="15">{escape(one.name)}</text>')
        x += 34 + sum(12 if ord(letter) > 0x2E7F else 6.6 for letter in one.name)
    return found


def _svg(title: str, parts: Sequence[str], height: int = _HEIGHT) -> str:
    said = escape(title)
    return (
        f"<figure><figcaption>{said}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{said}">{"".join(parts)}</svg></figure>'
    )
