"""How figures are written on a page: a value with sane digits, its interval and count, and whether a target is met."""

import math
import re
from dataclasses import replace

from .figures import Figure
from .page import Html, element, joined

ABSENT = "–"
_TARGET = re.compile(r"\s*(>=|<=)\s*([-+]?\d+(?:\.\d+)?)(?![\d.,]*\d)")  # "1,000" must not pass for 1

_PLAIN = {"%": (1, 1), "dB": (1, 10), "ms": (0, 10)}
"""Decimals of a unit, and the size below which there is one more."""


def meets(figure: Figure) -> bool | None:
    """Whether a figure reaches its target, such as ">= 98 (Q2)"; None if there is no value, or no target of that form."""
    target = _TARGET.match(figure.target)
    if target is None or math.isnan(figure.value):
        return None
    bound = float(target[2])
    return figure.value >= bound if target[1] == ">=" else figure.value <= bound


def cell(figure: Figure | None, target: str) -> Html:
    """Value, verdict, interval and count; why there is no value, if that is known."""
    if figure is None:
        return joined([ABSENT, _verdict(None)] if target else [ABSENT])
    lines = [element("small", figure.lacking)] if figure.lacking and not _is_there(figure) else []
    if _is_there(figure) and not (math.isnan(figure.low) or math.isnan(figure.high)):
        lines.append(element("small", f"{_number(figure, figure.low)} to {_number(figure, figure.high)}"))
    lines.append(element("small", f"n = {figure.count:,}"))
    verdict = [_verdict(replace(figure, target=target))] if target else []
    return joined([element("strong", written_value(figure, figure.value)), *verdict, *lines])


def written_value(figure: Figure, value: float) -> str:
    """A value with its unit."""
    if math.isnan(value) or not figure.count:
        return ABSENT
    return f"{_number(figure, value)}\N{NO-BREAK SPACE}{figure.unit}".rstrip()


def written_target(figure: Figure) -> str:
    """The target as on paper."""
    return figure.target.replace(">=", "≥").replace("<=", "≤")


def _is_there(figure: Figure) -> bool:
    return figure.count > 0 and not math.isnan(figure.value)


def _verdict(figure: Figure | None) -> Html:
    if figure is None or not _is_there(figure):
        return element("span", "○ not measured", class_="open")
    met = meets(figure)
    if met is None:
        return element("span", "? not judged", class_="open")
    return element("span", "✓ met", class_="met") if met else element("span", "✗ missed", class_="missed")


def _number(figure: Figure, value: float) -> str:
    """A value with as many decimals as suit the figure, the same for its interval."""
    size = max((abs(number) for number in (figure.value, figure.low, figure.high) if math.isfinite(number)), default=0.0)
    if 0 < size < 0.01 and figure.unit not in _PLAIN:
        return f"{value:.3g}"
    written = f"{value:,.{_decimals(figure.unit, size)}f}"
    return written.removeprefix("-") if not float(written.replace(",", "")) else written  # never "-0.0"


def _decimals(unit: str, size: float) -> int:
    """Percent, decibels and milliseconds as people say them; of anything else four digits, and three decimals at most."""
    if unit in _PLAIN:
        decimals, small = _PLAIN[unit]
        return decimals + (size < small)
    return min(max(4 - math.ceil(math.log10(size)), 0), 3) if size else 2
