"""R10: bad clips in a folder of videos. They are left out, counted and named; the training goes on."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from framecast.data import VideoFolder
from framecast.data.video import write_video

from .table import Attempt, Row, try_apart
from .trainings import Training, run

MOST_SECONDS = 2.0
MOST_MIB = 512.0
_SHAPE: dict[str, Any] = {"num_frames": 5, "size": 32, "fps": 12.0}
Maker = Callable[[Path, bytes], Any]


def rows(folder: Path) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    Console(stderr=True)  # imported before the memory is measured
    sound = folder / "sound.mp4"
    write_video(sound, _frames(20), 12.0)
    apart = make_apart(folder / "apart", sound.read_bytes())
    yield try_apart(Row("R10 bad clips alone: named"), apart, (), MOST_SECONDS, MOST_MIB, accepted=True)
    yield _trained(folder, sound.read_bytes())


def make_apart(folder: Path, sound: bytes) -> Iterator[tuple[str, Attempt]]:
    """Each bad thing beside one good file; the attempt fails if the bad one is not named."""
    for number, (name, make) in enumerate({**BAD_FILES, **BAD_LINES}.items()):
        own = folder / str(number)
        own.mkdir(parents=True)
        (own / "good.mp4").write_bytes(sound)
        expected = _put(own, name, make, sound)
        yield name, partial(_check_named, own, expected)


def _put(folder: Path, name: str, make: Any, sound: bytes) -> str:
    """Adds one bad thing; the name under which it is to be skipped."""
    if name in BAD_FILES:
        make(folder / name, sound)
        return name
    good = json.dumps({"file": "good.mp4", "caption": "good"})
    (folder / "captions.jsonl").write_bytes(good.encode() + b"\n" + make + b"\n")
    return "captions.jsonl"


def _check_named(folder: Path, expected: str) -> None:
    source = VideoFolder(folder, **_SHAPE)
    named = [name for name in (*source.skipped, *source.damaged) if name.startswith(expected)]
    assert len(named) == 1, f"named {[*source.skipped, *source.damaged]}; wanted {expected}"
    assert len(source) >= 4 and source[0].frames.shape[0] == 5, len(source)


def _trained(folder: Path, sound: bytes) -> Row:
    """All of the files in one folder, and the lines in another; the same `framecast train` as ever."""
    row = Row("R10 trainings on folders with all of them")
    for what, count in {"files": len(BAD_FILES), "lines": len(BAD_LINES)}.items():
        videos = folder / what
        videos.mkdir()
        for number in range(3):
            (videos / f"good_{number}.mp4").write_bytes(sound)
        if what == "files":
            for name, make in BAD_FILES.items():
                make(videos / name, sound)
        else:
            good = [json.dumps({"file": f"good_{number}.mp4", "caption": "good"}).encode() for number in range(3)]
            (videos / "captions.jsonl").write_bytes(b"\n".join([*good, *BAD_LINES.values()]) + b"\n")
        source = {"class_path": "framecast.data.VideoFolder", "init_args": {"root": str(videos), **_SHAPE}}
        training = Training(folder / f"run {what}", settings={"data": {"init_args": {"source": source}}})
        run(training)
        row.add(what, _problem(training, videos, count), training.ended - training.started)
    return row


def _problem(training: Training, videos: Path, count: int) -> str | None:
    if training.status != 0:
        return f"ended with {training.statuses}: {training.output[-500:]}"
    source = VideoFolder(videos, **_SHAPE)
    if (found := len(source.skipped) + len(source.damaged)) != count:
        return f"named {found} of {count}: {sorted({*BAD_FILES} - {*source.skipped, *source.damaged})}"
    said = next(line for line in training.output.splitlines() if line.startswith("source: "))
    parts = [f"{len(some)} {word}" for word, some in (("damaged", source.damaged), ("skipped", source.skipped)) if some]
    return None if all(part in said for part in parts) else f"said {said}"


def _frames(count: int) -> np.ndarray:
    """Noise, so that a file has something to damage."""
    return np.random.default_rng(0).integers(0, 255, (count, 64, 64, 3), dtype=np.uint8)


def _rot(path: Path, sound: bytes) -> None:
    """Every 50th byte of the pictures is another one."""
    data = bytearray(sound)
    data[len(data) // 4 : -2000 : 50] = bytes(len(data[len(data) // 4 : -2000 : 50]))
    path.write_bytes(data)


def _holes(path: Path, _: bytes) -> None:
    with path.open("wb") as file:
        file.truncate(2**32)


def _few(path: Path, _: bytes) -> None:
    write_video(path, _frames(2), 12.0)


def _wave(path: Path, _: bytes) -> None:
    """Sound alone, under the name of a video."""
    samples = bytes(16_000)
    head = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    kind = b"\x01\x00\x01\x00" + (8000).to_bytes(4, "little") * 2 + b"\x01\x00\x08\x00"
    path.write_bytes(head + kind + b"data" + len(samples).to_bytes(4, "little") + samples)


def _cut(share: float) -> Maker:
    return lambda path, sound: path.write_bytes(sound[: int(len(sound) * share)])


BAD_FILES: dict[str, Maker] = {
    "empty.mp4": lambda path, _: path.write_bytes(b""),
    "text.mp4": lambda path, _: path.write_text("a video"),
    "page.webm": lambda path, _: path.write_text("<html><body>404</body></html>"),
    "zeros.mkv": lambda path, _: path.write_bytes(bytes(100_000)),
    "noise.mov": lambda path, _: path.write_bytes(np.random.default_rng(1).bytes(100_000)),
    "holes.mp4": _holes,
    "cut_early.mp4": _cut(0.1),
    "cut_half.mp4": _cut(0.5),
    "cut_late.mp4": _cut(0.95),
    "head_only.mp4": lambda path, sound: path.write_bytes(sound[:32]),
    "tail_only.mp4": lambda path, sound: path.write_bytes(sound[len(sound) // 2 :]),
    "rot.mp4": _rot,
    "sound.avi": _wave,
    "two_frames.mp4": _few,
    "pipe.mp4": lambda path, _: os.mkfifo(path),
    "folder.mp4": lambda path, _: path.mkdir(),
    "nowhere.mp4": lambda path, _: path.symlink_to("gone.mp4"),
    "itself.mp4": lambda path, _: path.symlink_to(path.name),
    "device.mp4": lambda path, _: path.symlink_to("/dev/zero"),
    "new\nline \u2028 and \u202e.mp4": lambda path, _: path.write_bytes(b""),
    os.fsdecode(b"bytes \xff\xfe.mp4"): lambda path, _: path.write_bytes(b""),
    "-x; rm.mp4": lambda path, _: path.write_bytes(b""),
}
"""How to make a file that gives no clip or is damaged, by its name."""
BAD_LINES: dict[str, bytes] = {
    "a line that is no JSON": b"{file: good.mp4}",
    "a line that is no text": b'{"file": "\xff.mp4", "caption": "x"}',
    "a line that is a list": b'["good.mp4"]',
    "a line without a file": b'{"caption": "x"}',
    "a file outside": b'{"file": "../good.mp4", "caption": "x"}',
    "a file by its whole path": b'{"file": "/etc/passwd", "caption": "x"}',
    "a caption that is a number": b'{"file": "good.mp4", "caption": 7}',
    "nested without end": b"[" * 100_000,
}
"""Lines of `captions.jsonl` that say nothing of use, by what is wrong with them."""
