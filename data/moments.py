"""Moments of a video as people type them: "at 2s", "0:02", "500ms", "1,5 s"."""

import re

FORMS = '"at 2s", "at 2.5 seconds", "at 1,5s", "at 500ms", "at 1m30s" or "at 0:02"'
"""What an error shows."""

_MARK = r"(?:(?:and|then)\s+)?(?:(?:at|after|from)\b|@)(?:\s*(?:the|time|second|t\s*=))*|t\s*="
_NUMBER = r"(?:\d+(?:[.,]\d*)?|[.,]\d+)"
_SECONDS = r"(?:s|secs?|seconds?)"
_MINUTES = r"(?:m|mins?|minutes?)"
_UNIT = rf"(?:{_SECONDS}|{_MINUTES}|ms|msecs?|milliseconds?)"
_LENGTH = {"s": 1.0, "m": 60.0, "ms": 0.001}
_MOMENT = re.compile(
    rf"\s*[\[(]?\s*(?P<mark>{_MARK})?\s*"
    rf"(?:(?P<clock>\d+(?::\d{{1,2}}){{1,2}}(?:[.,]\d+)?)(?:\s*{_SECONDS})?"
    rf"|(?P<minutes>\d+)\s*{_MINUTES}\s*(?:and\s+)?(?P<seconds>{_NUMBER})\s*{_SECONDS}"
    rf"|(?P<number>{_NUMBER})(?:\s*(?P<unit>{_UNIT}))?)"
    r"(?!\w|[.,:]?\d)(?:\s+mark\b)?\s*[\])]?[\s,:.\-\u2013\u2014]*",
    re.IGNORECASE,
)
_NO_TEXT = re.compile(r"[^\w\s\"'“‘«(#]|(?:h|hours?|hrs?|frames?|f|fps|percent|o.clock)\b", re.IGNORECASE)
"""What cannot follow a moment: such as the rest of "1/2s", "50 %", "16 frames"."""


def split_moment(text: str) -> tuple[float, str] | None:
    """The seconds with which a text begins, and the text behind them; None if it begins with no moment that can be read.

    A number alone is a moment if a word such as "at" says so: "2 red circles fall" begins with none.
    """
    match = _MOMENT.match(text)
    if match is None or not (match["mark"] or match["unit"] or match["clock"] or match["minutes"]):
        return None
    seconds, rest = _seconds(match), text[match.end() :].strip()
    if seconds is None or _NO_TEXT.match(rest):
        return None
    again = _MOMENT.match(rest)
    is_range = again is not None and bool(again["unit"] or again["clock"] or again["minutes"])  # "at 2-3s", "at 2s 500ms"
    return None if is_range else (seconds, rest)


def _seconds(match: re.Match[str]) -> float | None:
    if match["clock"]:
        return _clock(match["clock"])
    if match["minutes"]:
        rest = _decimal(match["seconds"])
        return None if rest is None else 60.0 * float(match["minutes"]) + rest
    number = _decimal(match["number"])
    unit = (match["unit"] or "s").lower()
    kind = "ms" if unit.startswith(("ms", "milli")) else unit[0]
    return None if number is None else number * _LENGTH[kind]


def _decimal(number: str) -> float | None:
    """A number with a point or a comma; None for "1,000", which is a thousand to some and one to others."""
    return None if re.search(r",\d{3}$", number) else float(number.replace(",", "."))


def _clock(text: str) -> float | None:
    """Seconds of "0:02", "00:00:02.5"; None if a part that is followed up has sixty or more."""
    first, *others = text.replace(",", ".").split(":")
    if any(float(part) >= 60 for part in others):
        return None
    seconds = float(first)
    for part in others:
        seconds = 60 * seconds + float(part)
    return seconds
