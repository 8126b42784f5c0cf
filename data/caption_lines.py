"""`captions.jsonl`: which videos of a folder to use, and what they show when."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .clips import Caption
from .json_lines import NOT_A_ROW, file_of, json_lines, why

CAPTIONS_FILE = "captions.jsonl"
WANTED = '{"file": "...", "caption": "..."} or {"file": "...", "captions": [{"start": 0.0, "end": 2.5, "text": "..."}]}'


@dataclass(frozen=True)
class TimedText:
    """A caption of a stretch of a video."""

    start: float
    """Seconds after the first frame."""
    end: float
    """Seconds after the first frame; infinity for "to the end"."""
    text: str


Texts = dict[str, tuple[TimedText, ...]]


def read_caption_lines(listing: Path) -> tuple[Texts, dict[str, str]]:
    """The captions by file, in order of the lines, and by "captions.jsonl line 3" why a line was left out.

    Raises:
        ValueError: If the file cannot be read.
    """
    texts: Texts = {}
    skipped: dict[str, str] = {}
    for number, line in json_lines(listing, WANTED):
        try:
            file, timeline = parse_row(line)
            if file in texts:
                raise ValueError(f"{file} is listed twice; keep one line per file")
            texts[file] = timeline
        except NOT_A_ROW as error:
            skipped[f"{listing.name} line {number}"] = why(error, WANTED, " in a caption")
    return texts, skipped


def captions_of_window(texts: Sequence[TimedText], start: float, num_frames: int, fps: float) -> tuple[Caption, ...]:
    """The captions of a clip that begins `start` seconds into its video, from the timeline of the video.

    A frame has the text that holds at its moment; of several, the one that began last; of none, "".
    """
    captions: list[Caption] = []
    for frame in range(num_frames):
        text = _text_at(texts, start + frame / fps)
        if not captions or text != captions[-1].text:
            captions.append(Caption(frame, text))
    return tuple(captions)


def _text_at(texts: Sequence[TimedText], seconds: float) -> str:
    moment = seconds + 1e-6  # a caption from 0.25 s holds for the frame at 0.25 s, however that was rounded
    holding = [text for text in texts if text.start <= moment < text.end]
    return max(holding, key=lambda text: text.start).text if holding else ""


def parse_row(line: bytes) -> tuple[str, tuple[TimedText, ...]]:
    """The file that a line names, and what is said of it.

    Raises:
        Exception: One of `NOT_A_ROW` if the line means nothing.
    """
    row = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    return file_of(row), tuple(timeline_of(row))


def _refuse(constant: str) -> float:
    raise ValueError(f"got {constant}, which is no JSON")


def timeline_of(row: dict) -> list[TimedText]:
    """What a row says of its video; raises one of `NOT_A_ROW` if that means nothing."""
    if "captions" not in row:
        return [TimedText(0.0, math.inf, _text("" if row.get("caption") is None else row["caption"]))]
    if "caption" in row:
        raise ValueError('got both "caption" and "captions"')
    if not isinstance(row["captions"], list):
        raise ValueError(f'got {row["captions"]!r} as "captions"')
    starts = [_seconds(entry["start"]) for entry in row["captions"]]
    texts = []
    for entry, start in zip(row["captions"], starts, strict=True):
        later = min((other for other in starts if other > start), default=math.inf)
        end = later if entry.get("end") is None else _seconds(entry["end"])
        if not 0 <= start < end:
            raise ValueError(f"got a caption from {start} s to {end} s")
        texts.append(TimedText(start, end, _text(entry["text"])))
    return texts


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"got a time {value!r} that is no number of seconds")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"got a caption {value!r} that is no text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"got a caption {value!r} with half a character") from error
    return value.strip()
