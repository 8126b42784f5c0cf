"""What a folder of videos holds: files, clips, captions, and which files are kept from training."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...data import RandomCrops, VideoFolder
from ...data.caption_lines import TimedText
from ...data.captioning import check_captions
from ...data.listing import all_videos
from ...data.recorded import ACTIONS_FILE
from ...data.remarks import in_words
from ...progress import Task
from .asked import digest_of, excluded_of, folder_of, listing_of, patterns_of
from .cutting import Cut, cut_of
from .holding import hold_out, part_of_one
from .recipes import Recipe, recipe_for
from .settings import OwnSettings
from .sizes import NUM_FRAMES
from .worlds import Played, played_in


@dataclass(frozen=True)
class Found:
    """What a folder holds."""

    cut: Cut
    files: dict[str, int]
    """Clips of each file that gives some, as it is cut for training."""
    held_out: tuple[str, ...]
    """The files that are kept from training."""
    left_out: dict[str, str]
    """Why a file or a line of captions is not used."""
    damaged: dict[str, str]
    """What could not be decoded of a file that is used."""
    captioned: int
    """Files of which something is said."""
    longest_caption: int
    """Bytes of the longest caption."""
    digest: str
    """Of the names and sizes of the files, and of their captions: tells whether the folder is as it was."""
    unnamed: int = 0
    """Files that may be videos and that the captions do not name; these are not used."""
    played: Played | None = None
    """What was done in the videos; None if nothing is known."""
    excluded: int = 0
    """Files that fit no pattern of `include`; these are not used."""
    thin: str = ""
    """What is so thin in the captions that it spoils a training; empty if nothing is."""
    remarks: tuple[str, ...] = ()
    """What is odd about the files, such as cuts and black bars, in words."""
    part: float = 1.0
    """The share of each file that is trained on; below 1, the rest of the one file is held out."""

    def seconds(self, files: Mapping[str, int] | tuple[str, ...], fps: float) -> float:
        """Seconds of video that the clips of some files cover."""
        return sum(((self.files[file] - 1) * self.cut.step + NUM_FRAMES) / fps for file in files)

    @property
    def trained(self) -> tuple[str, ...]:
        """The files that are trained on."""
        if self.part < 1:
            return tuple(self.files)
        return tuple(file for file in self.files if file not in set(self.held_out))

    @property
    def num_train_clips(self) -> int:
        """Clips to train on, crops counted."""
        clips = sum(self.files[file] for file in self.trained)
        if self.part < 1:  # at least so many; those that reach over the end of the part are in none
            clips = max(0, int(clips * self.part) - NUM_FRAMES // self.cut.step - 1)
        return clips * self.cut.copies

    @property
    def recipe(self) -> Recipe:
        """What is trained of them."""
        return recipe_for(self.played)

    @property
    def held_out_patterns(self) -> list[str]:
        """Patterns that fit the held-out files and nothing else."""
        return [glob.escape(file) for file in self.held_out]

    def plain(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def of_plain(cls, values: dict[str, Any]) -> "Found":
        """The inverse of `plain`."""
        played = None if values.get("played") is None else Played(**values["played"])
        read = {**values, "cut": Cut(**values["cut"]), "held_out": tuple(values["held_out"]), "played": played}
        return cls(**{**read, "remarks": tuple(values.get("remarks", ()))})


def look(settings: OwnSettings) -> Found:
    """Reads a folder through, once, and chooses what is held out.

    Raises:
        ValueError: It is no folder, holds too little video, or nothing can be held out of it.
    """
    root = folder_of(settings)
    listing, excluded = listing_of(settings), excluded_of(settings)
    cut = cut_of(root, listing, settings)
    with Task(f"reading {root} through, once"):
        folder = _folder(settings, cut, cut.size, include=patterns_of(settings), step=cut.step)
    played = _played(folder, settings)
    files = folder.clips_of_files
    part = part_of_one(folder, settings) if len(files) == 1 else 1.0
    texts = [text.text for file in files for text in listing.texts[file] if text.text]
    return Found(
        cut,
        files,
        hold_out(files, settings) if part == 1 else tuple(files),
        folder.skipped,
        folder.damaged,
        sum(any(text.text for text in listing.texts[file]) for file in files),
        max((len(text.encode()) for text in texts), default=0),
        digest_of(settings),
        max(0, len(set(all_videos(root)) - set(listing.texts)) - excluded),
        played,
        excluded,
        _thin({file: listing.texts[file] for file in files}),
        tuple(in_words(folder.remarks)),
        part,
    )


def _thin(texts: Mapping[str, Sequence[TimedText]]) -> str:
    """The worst finding of `framecast caption --check`, if anything is said at all."""
    if not any(text.text for entries in texts.values() for text in entries):
        return ""
    return next((str(finding) for finding in check_captions(texts) if finding.spoils), "")


def _played(folder: VideoFolder, settings: OwnSettings) -> Played | None:
    """What was done in the videos; a delay of nothing is a slip of the pen."""
    played = played_in(folder)
    if played is None and settings.action_delay:
        raise ValueError(
            f"got --action_delay {settings.action_delay}, and no actions of the videos in {settings.videos}; wanted an "
            f"{ACTIONS_FILE} in it, or --actions with such a file; leave --action_delay out to train without actions"
        )
    return played


def training_clips(settings: OwnSettings, found: Found) -> VideoFolder | RandomCrops:
    """The clips to train on."""
    cut = found.cut
    folder = _folder(settings, cut, cut.size, found.played, **training_files(settings, found), step=cut.step)
    return folder if cut.copies == 1 else RandomCrops(folder, settings.size, cut.copies)


def training_files(settings: OwnSettings, found: Found) -> dict[str, Any]:
    """The patterns of the files that are trained on, or the part of the one file, as `VideoFolder` takes them."""
    include: dict[str, Any] = {} if settings.include == OwnSettings.include else {"include": patterns_of(settings)}
    if found.part < 1:
        return {**include, "part": [0.0, found.part]}
    return {**include, "exclude": found.held_out_patterns}


def held_out_clips(settings: OwnSettings, found: Found, num_frames: int = NUM_FRAMES) -> VideoFolder:
    """The clips of the files that are held out."""
    return _folder(settings, found.cut, settings.size, found.played, num_frames, **held_out_files(found))


def held_out_files(found: Found) -> dict[str, Any]:
    """The patterns of the files that are held out, with the part of the one file, as `VideoFolder` takes them."""
    part = {} if found.part == 1 else {"part": [found.part, 1.0]}
    return {"include": found.held_out_patterns, **part}


def held_out_captions(settings: OwnSettings, found: Found) -> list[str]:
    """Different captions of the files that are held out, in their order; no video is read for them."""
    texts = listing_of(settings).texts
    return list(dict.fromkeys(text.text for file in found.held_out for text in texts[file] if text.text))


def folder_options(settings: OwnSettings, cut: Cut, played: Played | None) -> dict[str, Any]:
    """What every folder of the run is told of long files, captions and actions; each has one action space, whatever is in it."""
    options: dict[str, Any] = {"captions": settings.captions, "actions": settings.actions}
    options["action_space"] = None if played is None else played.space
    options["action_delay"] = settings.action_delay or None
    options["seconds_per_file"] = cut.seconds_per_file
    return {name: value for name, value in options.items() if value is not None}


def _folder(
    settings: OwnSettings, cut: Cut, size: int, played: Played | None = None, num_frames: int = NUM_FRAMES, **options: Any
) -> VideoFolder:
    options |= folder_options(settings, cut, played)
    return VideoFolder(settings.videos, num_frames, size, settings.fps, **options)
