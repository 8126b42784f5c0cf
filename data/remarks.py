"""What is odd about the files of a folder, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..progress import spoken_time
from .counted import counted
from .scans import Scan
from .video import NO_BARS, Bars

MUCH_CUT = 1 / 3
"""The share of a picture that may be cut off without a word."""
_LEAST_UNREAD = 1.0
"""Seconds."""


@dataclass(frozen=True)
class Remarks:
    """What is odd about a file that gives clips. As text, it is a sentence for a person; empty if nothing is odd."""

    cuts: int = 0
    """Cuts between shots, over which no clip reaches."""
    bars: Bars = NO_BARS
    """Black bars, which are cut off."""
    cut: float = 0.0
    """Which share of the picture, without bars, is cut off because it has another shape than a clip."""
    still_clips: int = 0
    """Clips in which nothing moves."""
    seconds: float = 0.0
    """Seconds that were read."""
    length: float = 0.0
    """Seconds of the file; 0 if nobody knows."""

    @property
    def is_read_in_part(self) -> bool:
        """Whether some of the file was not read, since it is long."""
        return self.length - self.seconds > _LEAST_UNREAD and self.seconds > 0

    def __str__(self) -> str:
        said = []
        if self.cuts:
            said.append(f"split at {counted(self.cuts, 'cut')}")
        if self.bars:
            said.append(f"black bars cut off, {1 - self.bars.rows * self.bars.columns:.0%} of the frame")
        if self.cut > MUCH_CUT:
            said.append(f"{self.cut:.0%} of the picture cut off to fit")
        if self.still_clips:
            said.append(f"nothing moves in {counted(self.still_clips, 'clip')}")
        if self.is_read_in_part:
            said.append(f"{spoken_time(self.seconds)} of {spoken_time(self.length)} read")
        return ", ".join(said)


def remarks_of(scan: Scan) -> Remarks:
    """What a scan has found."""
    length = scan.length if scan.in_part else 0.0
    return Remarks(scan.cuts, Bars(*scan.bars), scan.cut, scan.still_clips, scan.seconds, length)


def in_words(remarks: Mapping[str, Remarks]) -> Iterator[str]:
    """What is odd about many files, a part of a sentence for each kind of thing."""
    files = remarks.values()
    split = [each.cuts for each in files if each.cuts]
    if split:
        yield f"{counted(len(split), 'file')} split at {counted(sum(split), 'cut')} between shots"
    barred = sum(bool(each.bars) for each in files)
    if barred:
        yield f"black bars cut off in {counted(barred, 'file')}"
    cut = [each.cut for each in files if each.cut > MUCH_CUT]
    if cut:
        yield f"more than a third of the picture cut off to fit in {counted(len(cut), 'file')}, up to {max(cut):.0%}"
    still = [each.still_clips for each in files if each.still_clips]
    if still:
        yield f"nothing moves in {counted(sum(still), 'clip')} of {counted(len(still), 'file')}"
    parts = [each for each in files if each.is_read_in_part]
    if parts:
        read, length = sum(each.seconds for each in parts), sum(each.length for each in parts)
        yield f"{spoken_time(read)} of the {spoken_time(length)} in {counted(len(parts), 'long file')} read, spread over them"
