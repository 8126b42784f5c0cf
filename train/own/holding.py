"""What is kept from training, to judge by: whole files, or the end of a single one."""

import random
from collections.abc import Mapping
from fnmatch import fnmatch

from ...data import VideoFolder
from .asked import as_included
from .settings import OwnSettings
from .sizes import NUM_FRAMES

MOST_HELD_OUT = 100
"""Files that a share holds out at most: more of them say nothing new."""
_LEAST_HELD_CLIPS = 3


def part_of_one(folder: VideoFolder, settings: OwnSettings) -> float:
    """The share of the one file to train on; its end is held out.

    Raises:
        ValueError: It is too short for that, or a pattern says what is held out; what was left out may be why.
    """
    share, seconds, files = settings.share, folder.seconds_of_video, folder.clips_of_files
    if share is not None and share * seconds >= _LEAST_HELD_CLIPS * NUM_FRAMES / settings.fps:
        return 1 - share
    why = "".join(f"; left out: {file}: {reason}" for file, reason in list(folder.skipped.items())[:2])
    raise ValueError(
        f"got one video file that can be used in {settings.videos}{as_included(settings)}; wanted at least two, or a "
        f"longer one, since whole files, or the end of a single one, are held out to judge by{why or _how_to_cut(files)}"
    )


def _how_to_cut(files: Mapping[str, int]) -> str:
    file = next(iter(files), "FILE")
    return f"; cut it: `ffmpeg -i {file} -c copy -f segment -segment_time 60 part_%03d.mp4`"


def hold_out(files: Mapping[str, int], settings: OwnSettings) -> tuple[str, ...]:
    """The files that are kept from training: whole files, since clips of one file are alike.

    Raises:
        ValueError: A pattern fits none or all.
    """
    if settings.share is None:
        kept = tuple(file for file in files if fnmatch(file, settings.hold_out))
        if not kept or len(kept) == len(files):
            raise ValueError(
                f"got --hold_out {settings.hold_out}, which fits {'all' if kept else 'none'} of the {len(files)} files that "
                f"can be used; wanted some; their paths are such as {next(iter(files))}"
            )
        return kept
    number = min(max(1, round(settings.share * len(files))), MOST_HELD_OUT, len(files) - 1)
    return tuple(sorted(random.Random(settings.seed).sample(sorted(files), number)))
