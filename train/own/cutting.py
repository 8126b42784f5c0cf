"""How the videos of a folder are cut into clips, by how much video there is."""

from dataclasses import dataclass
from pathlib import Path

from ...data import VideoError, probe_video
from ...data.listing import Listing
from ...progress import tracked
from .asked import actions_file
from .settings import OwnSettings
from .sizes import NUM_FRAMES

_WANTED_CLIPS = 6000
"""If there is less video, windows overlap and crops multiply, up to so many clips."""
_SHORTEST_STEP, _MOST_COPIES = 5, 4
_PROBED = 64
_LEAST_SECONDS = 120.0
"""Files that are shorter are always read whole: what a run cannot use is in the long ones."""


@dataclass(frozen=True)
class Cut:
    """How videos are cut into clips for training."""

    size: int
    """Rows and columns of a frame before it is cropped to those of the run."""
    step: int
    """Frames from the start of a clip to that of the next one."""
    copies: int
    """Crops of each clip; 1 takes the clip as it is."""
    seconds_per_file: float | None = None
    """What is read of each file, spread over it; None reads all."""


def cut_of(root: Path, listing: Listing, settings: OwnSettings) -> Cut:
    """How to cut the files of a folder, whose headers say about how much video there is.

    Little video is cut into windows that overlap, with several crops of each; but a world is played in whole frames. Of long
    files no more is read than a run can use.
    """
    lengths, share = _lengths_by_headers(root, listing), 1.0
    is_world = actions_file(settings) is not None
    if lengths:
        share = len(listing.texts) / len(lengths)
    limit = None if is_world else _most_of_each(lengths, _most_seconds(settings) / share)
    seconds = share * sum(length if limit is None else min(length, limit) for length in lengths)
    wanted = _WANTED_CLIPS / max(seconds * settings.fps / NUM_FRAMES, 1)
    if wanted <= 1:
        return Cut(settings.size, NUM_FRAMES, 1, limit)
    copies = 1 if is_world else min(_MOST_COPIES, round(wanted) or 1)
    step = min(NUM_FRAMES, max(_SHORTEST_STEP, round(NUM_FRAMES * copies / wanted)))
    return Cut(settings.size if copies == 1 else -(-settings.size * 5 // 4), step, copies, limit)


def _most_seconds(settings: OwnSettings) -> float:
    """Of video that a run of so many minutes can use."""
    return _WANTED_CLIPS * NUM_FRAMES / settings.fps * max(1.0, settings.minutes / 60)


def _most_of_each(lengths: list[float], most: float) -> float | None:
    """The seconds to read of each file so that all together are `most`, files that are shorter being read whole; None for all."""
    if sum(lengths) <= most:
        return None
    level, left = 0.0, most
    for number, length in enumerate(sorted(lengths)):
        level = left / (len(lengths) - number)
        if length > level:
            break
        left -= length
    return float(round(max(_LEAST_SECONDS, level)))


def _lengths_by_headers(root: Path, listing: Listing) -> list[float]:
    """Seconds of some files spread over the folder; 0 where the header does not say."""
    files = list(listing.texts)
    found: list[float] = []
    for file in tracked(files[:: max(1, len(files) // _PROBED)], "looking at the videos"):
        try:
            found.append(probe_video(root / file).duration or 0.0)
        except VideoError:
            found.append(0.0)
    return found
