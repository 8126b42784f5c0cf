"""What a folder of videos holds: files, clips, captions, and which files are kept from training."""

import difflib
import glob
import hashlib
import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ...data import RandomCrops, VideoError, VideoFolder, probe_video
from ...data.caption_lines import TimedText
from ...data.captioning import check_captions
from ...data.counted import counted
from ...data.folder import printable
from ...data.listing import Listing, all_videos, list_videos
from ...data.recorded import ACTIONS_FILE
from ...data.remarks import in_words
from ...progress import Task, tracked
from .recipes import Recipe, recipe_for
from .settings import OwnSettings, spoken
from .sizes import NUM_FRAMES
from .worlds import Played, played_in

MOST_HELD_OUT = 100
"""Files that a share holds out at most: more of them say nothing new."""
_WANTED_CLIPS = 6000
"""If there is less video, windows overlap and crops multiply, up to so many clips."""
_SHORTEST_STEP, _MOST_COPIES = 5, 4
_PROBED = 64
_LEAST_HELD_CLIPS = 3


@dataclass(frozen=True)
class Cut:
    """How videos are cut into clips for training."""

    size: int
    """Rows and columns of a frame before it is cropped to those of the run."""
    step: int
    """Frames from the start of a clip to that of the next one."""
    copies: int
    """Crops of each clip; 1 takes the clip as it is."""


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


def folder_of(settings: OwnSettings) -> Path:
    """The folder of the videos.

    Raises:
        ValueError: It is none; the message names one of a similar name.
    """
    root = Path(settings.videos)
    if root.is_dir():
        return root
    if root.is_file():
        raise ValueError(f"got {root}, which is a file; wanted the folder of videos that it lies in: {root.parent}")
    near = [path.name for path in root.absolute().parent.glob("*") if path.is_dir()] if root.absolute().parent.is_dir() else []
    meant = difflib.get_close_matches(root.name, near, 1)
    advice = f"did you mean {root.parent / meant[0]}?" if meant else "check its path"
    raise ValueError(f"got {root}, and there is no such folder; wanted a folder of videos; {advice}")


def look(settings: OwnSettings) -> Found:
    """Reads a folder through, once, and chooses what is held out.

    Raises:
        ValueError: It is no folder, holds too little video, or nothing can be held out of it.
    """
    root = folder_of(settings)
    listing, excluded = _listing(settings), _excluded(settings)
    cut = _cut(_seconds_by_headers(root, listing), settings)
    with Task(f"reading {root} through, once"):
        folder = _folder(settings, NUM_FRAMES, cut.size, include=patterns_of(settings), step=cut.step)
    played = _played(folder, settings)
    files = folder.clips_of_files
    part = _part_of_one(folder, settings) if len(files) == 1 else 1.0
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


def _part_of_one(folder: VideoFolder, settings: OwnSettings) -> float:
    """The share of the one file to train on; its end is held out.

    Raises:
        ValueError: It is too short for that, or a pattern says what is held out; what was left out may be why.
    """
    share, seconds, files = settings.share, folder.seconds_of_video, folder.clips_of_files
    if share is not None and share * seconds >= _LEAST_HELD_CLIPS * NUM_FRAMES / settings.fps:
        return 1 - share
    why = "".join(f"; left out: {file}: {reason}" for file, reason in list(folder.skipped.items())[:2])
    raise ValueError(
        f"got one video file that can be used in {settings.videos}{_as_included(settings)}; wanted at least two, or a "
        f"longer one, since whole files, or the end of a single one, are held out to judge by{why or _how_to_cut(files)}"
    )


def _as_included(settings: OwnSettings) -> str:
    """What was asked for, if not all of the folder."""
    return "" if settings.include == OwnSettings.include else f" with --include {spoken(settings.include)}"


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


def digest_of(settings: OwnSettings) -> str:
    """A hash of the names and sizes of the files in the folder, of their captions, and of the list of actions, if any."""
    root, listing = folder_of(settings), _listing(settings)
    sizes: list[Any] = [[file, _size(root / file), [asdict(text) for text in texts]] for file, texts in listing.texts.items()]
    actions = _actions_file(settings)
    if actions is not None:
        sizes.append(hashlib.sha256(actions.read_bytes()).hexdigest())
    return hashlib.sha256(json.dumps(sizes).encode()).hexdigest()


def training_clips(settings: OwnSettings, found: Found) -> VideoFolder | RandomCrops:
    """The clips to train on."""
    cut = found.cut
    folder = _folder(settings, NUM_FRAMES, cut.size, found.played, **training_files(settings, found), step=cut.step)
    return folder if cut.copies == 1 else RandomCrops(folder, settings.size, cut.copies)


def training_files(settings: OwnSettings, found: Found) -> dict[str, Any]:
    """The patterns of the files that are trained on, or the part of the one file, as `VideoFolder` takes them."""
    include: dict[str, Any] = {} if settings.include == OwnSettings.include else {"include": patterns_of(settings)}
    if found.part < 1:
        return {**include, "part": [0.0, found.part]}
    return {**include, "exclude": found.held_out_patterns}


def held_out_clips(settings: OwnSettings, found: Found, num_frames: int = NUM_FRAMES) -> VideoFolder:
    """The clips of the files that are held out."""
    return _folder(settings, num_frames, settings.size, found.played, **held_out_files(found))


def held_out_files(found: Found) -> dict[str, Any]:
    """The patterns of the files that are held out, with the part of the one file, as `VideoFolder` takes them."""
    part = {} if found.part == 1 else {"part": [found.part, 1.0]}
    return {"include": found.held_out_patterns, **part}


def held_out_captions(settings: OwnSettings, found: Found) -> list[str]:
    """Different captions of the files that are held out, in their order; no video is read for them."""
    texts = _listing(settings).texts
    return list(dict.fromkeys(text.text for file in found.held_out for text in texts[file] if text.text))


def folder_options(settings: OwnSettings, played: Played | None) -> dict[str, Any]:
    """What every folder of the run is told of captions and actions. Each has one action space, whatever files are in it."""
    options: dict[str, Any] = {"captions": settings.captions, "actions": settings.actions}
    options["action_space"] = None if played is None else played.space
    options["action_delay"] = settings.action_delay or None
    return {name: value for name, value in options.items() if value is not None}


def _folder(settings: OwnSettings, num_frames: int, size: int, played: Played | None = None, **options: Any) -> VideoFolder:
    return VideoFolder(settings.videos, num_frames, size, settings.fps, **options, **folder_options(settings, played))


def _actions_file(settings: OwnSettings) -> Path | None:
    """Where actions are listed, if anywhere."""
    root, given = Path(settings.videos), settings.actions
    places = [root / ACTIONS_FILE] if given is None else [root / given, Path(given)]
    return next((place for place in places if place.is_file()), None)


def patterns_of(settings: OwnSettings) -> list[str]:
    """The patterns that `include` stands for: the name of a sub-folder means all that lies below it."""
    return [_pattern(Path(settings.videos), each) for each in settings.include]


def _pattern(root: Path, given: str) -> str:
    if not (root / given).is_dir():
        return given
    below = Path(os.path.normpath(given)).as_posix()
    return "*" if below == "." else f"{glob.escape(below)}/*"


def _listing(settings: OwnSettings, include: Sequence[str] | None = None) -> Listing:
    captions = None if settings.captions is None else Path(settings.captions)
    return list_videos(folder_of(settings), patterns_of(settings) if include is None else include, (), captions)


def _excluded(settings: OwnSettings) -> int:
    """How many files fit no pattern of `include`.

    Raises:
        ValueError: A pattern fits no file; the message names files that there are.
    """
    files = list(_listing(settings, ["*"]).texts)
    for given, pattern in zip(settings.include, patterns_of(settings), strict=True):
        if files and not any(fnmatch(file, pattern) for file in files):
            near = difflib.get_close_matches(given, {file.split("/")[0] for file in files}, 1)
            advice = f"did you mean {near[0]}?" if near else f"their paths are such as {printable(files[0])}"
            raise ValueError(
                f"got --include {given}, which fits none of the {counted(len(files), 'file')} in {settings.videos}; wanted a "
                f"sub-folder of it, or a pattern of paths below it; {advice}"
            )
    return len(files) - len(_listing(settings).texts)


def _cut(seconds: float, settings: OwnSettings) -> Cut:
    """Little video is cut into windows that overlap, with several crops of each; but a world is played in whole frames."""
    whole = max(seconds * settings.fps / NUM_FRAMES, 1)
    wanted = _WANTED_CLIPS / whole
    if wanted <= 1:
        return Cut(settings.size, NUM_FRAMES, 1)
    copies = 1 if _actions_file(settings) is not None else min(_MOST_COPIES, round(wanted) or 1)
    step = min(NUM_FRAMES, max(_SHORTEST_STEP, round(NUM_FRAMES * copies / wanted)))
    return Cut(settings.size if copies == 1 else -(-settings.size * 5 // 4), step, copies)


def _seconds_by_headers(root: Path, listing: Listing) -> float:
    """About how much video there is, from the headers of some files."""
    files = list(listing.texts)
    every = max(1, len(files) // _PROBED)
    found: list[float] = []
    for file in tracked(files[::every], "looking at the videos"):
        try:
            found.append(probe_video(root / file).duration or 0.0)
        except VideoError:
            found.append(0.0)
    return sum(found) * every


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def named(files: Mapping[str, str] | tuple[str, ...], most: int = 3) -> str:
    """The first files by name, and how many more there are."""
    names = [printable(file) for file in files]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
