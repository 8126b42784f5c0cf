"""`captions.jsonl`: which videos of a folder to use, and what they show when."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .clips import Caption

CAPTIONS_FILE = "captions.jsonl"
WANTED = '{"file": "...", "caption": "..."} or {"file": "...", "captions": [{"start": 0.0, "end": 2.5, "text": "..."}]}'
NOT_A_ROW = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


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

    Lines end with a line feed, with or without a carriage return, and with nothing else: captions may hold any other separator.

    Raises:
        ValueError: If the file cannot be read.
    """
    texts: Texts = {}
    skipped: dict[str, str] = {}
    if not listing.is_file():
        raise ValueError(f"{listing} is not a file; give one JSON object per line: {WANTED}")
    try:
        lines = listing.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise ValueError(f"{listing} cannot be read ({error.strerror}); make it readable") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                file, timeline = _parse_line(line)
                if file in texts:
                    raise ValueError(f"{file} is listed twice; keep one line per file")
                texts[file] = timeline
            except NOT_A_ROW as error:
                skipped[f"{listing.name} line {number}"] = _why(error)
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


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 text ({error.reason}); save the file as UTF-8"
    if isinstance(error, RecursionError):
        return f"is nested too deeply; wanted {WANTED}"
    if isinstance(error, KeyError):
        return f"got no {error} in a caption; wanted {WANTED}"
    text = str(error)
    return text if "; " in text else f"{text}; wanted {WANTED}"


def _parse_line(line: bytes) -> tuple[str, tuple[TimedText, ...]]:
    row = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    if not isinstance(row, dict) or not isinstance(row.get("file"), str) or not row["file"]:
        raise ValueError('got no "file"')
    return _inside(row["file"]), tuple(_timeline(row))


def _refuse(constant: str) -> float:
    raise ValueError(f"got {constant}, which is no JSON")


def _inside(file: str) -> str:
    """A path below the folder, in one spelling."""
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\0" in file:
        raise ValueError(f"{file!r} leads out of the folder; move the video into it, and give its path from there")
    return path.as_posix()


def _timeline(row: dict) -> list[TimedText]:
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
