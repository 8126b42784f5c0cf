"""A video, watched once: its shots, and what the rules say of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..caption_lines import TimedText
from ..shots import Shots
from ..video import VideoError, VideoReader
from .entries import Phrases, sentence, stretches
from .measuring import LONG_SIDE, Meter
from .rules import RULES, Rule

RATE = 12.0
"""Moments a second at which a video is watched."""
_LONGEST = 600  # seconds of a shot that are judged at once, so that memory is bounded
_SHORTEST = 0.5  # seconds; a cut that comes sooner belongs to the shot before


@dataclass(frozen=True)
class Shot:
    """A shot, or ten minutes of a long one.

    Attributes:
        start: Seconds after the first frame.
        end: The same of its end.
        said: What the rules say of each stretch, in order.
    """

    start: float
    end: float
    said: tuple[Phrases, ...]

    def entries(self) -> list[TimedText]:
        """What the rules say, as entries of a timeline."""
        texts = []
        for phrases in self.said:
            end = self.end if phrases is self.said[-1] else self.start + phrases.end / RATE
            texts.append(TimedText(round(self.start + phrases.first / RATE, 3), round(end, 3), sentence(phrases.words)))
        return texts


def watch(path: Path, rules: Sequence[Rule] = RULES) -> Iterator[Shot]:
    """The shots of a video, each as soon as it has ended.

    Args:
        path: Any video file that ffmpeg knows.
        rules: What is said of the shots.

    Raises:
        VideoError: The file holds no readable video. A damaged file is watched as far as it can be decoded.
    """
    with VideoReader(path, fps=RATE, size=small_size(path, LONG_SIDE)) as reader:
        shots, meter, start, last = Shots(), Meter(RATE), 0, None
        for index, frame in enumerate(reader):
            begins = frame is not last and shots.begins(frame) and index - start >= _SHORTEST * RATE
            if begins or index - start >= _LONGEST * RATE:
                yield _shot(meter, start, rules)
                meter, start = Meter(RATE), index
            meter.add(frame, frame is not last)
            last = frame
        if not len(meter):
            raise VideoError(f"{path} shows no frame; leave it out, or make it anew")
        yield _shot(meter, start, rules)


def _shot(meter: Meter, start: int, rules: Sequence[Rule]) -> Shot:
    return Shot(start / RATE, (start + len(meter)) / RATE, tuple(stretches(meter.measures(), rules)))


def small_size(path: Path, long_side: int) -> tuple[int, int]:
    """Rows and columns of a picture of a video, both even, with a longer side of about so many pixels.

    Raises:
        VideoError: The file holds no readable video.
    """
    with VideoReader(path, fps=RATE) as reader:
        scale = long_side / max(reader.height, reader.width)
        rows, columns = (max(32, 2 * round(side * scale / 2)) for side in (reader.height, reader.width))
        return rows, columns
