"""`Recording`: a recording with actions that a bundle was not trained on, cut into starts to play on from."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import numpy as np
from torch import Tensor

from ...data import CaptionedClip, VideoFolder, to_video
from ...data.actions import ActionSpace
from ...data.listing import list_videos
from ...sample import Bundle
from ..metrics import psnr
from ..real.held_out import evenly
from ..real.trained_on import seen_in_training
from ..settings import Settings
from .inverse import Shown
from .truth import History, Truth, open_truth
from .trying import Rows

_LENGTHS = ((17, 64), (17, 32), (17, 16), (9, 8), (5, 4))
"""Frames that are given and frames that are to follow, as far as the videos are long enough."""
_MOST_FOR_NET = 96  # clips
_FILES_PER_CLIP = 4  # are read at most
_SAME = 25.0  # dB, below which an environment that is run again shows something else
_ONE_IN = 3  # files are for the inverse-dynamics network


@dataclass(frozen=True, eq=False)
class Start:
    """A held-out moment of a recording: frames that are given, and what truly came.

    Attributes:
        clip: The given frames and those that followed, with their actions.
        given: How many are given.
        first: Which frame of its video the clip begins with.
        history: The episode up to the last given frame, as its true environment is run again; None if there is none.
    """

    clip: CaptionedClip
    given: int
    first: int = 0
    history: History | None = None

    @property
    def frames(self) -> Tensor:
        """uint8 `[T, H, W, 3]`: those that are given."""
        return self.clip.frames[: self.given]

    @property
    def future(self) -> Tensor:
        """uint8 `[T, H, W, 3]`: those that truly followed."""
        return self.clip.frames[self.given :]

    @property
    def rows(self) -> Rows:
        """float32 `[T, A]`: the actions of all frames of the clip."""
        return _rows(self.clip)

    @property
    def played(self) -> Rows:
        """float32 `[T, A]`: the actions that led to what truly followed."""
        return self.rows[self.given :]

    @property
    def file(self) -> str:
        """The video that it was cut from."""
        return self.clip.name.rpartition("@")[0]


@dataclass(frozen=True, eq=False)
class Recording:
    """What is taken of a held-out recording, at a bundle's size and rate.

    Attributes:
        starts: Moments to play on from: as many as were asked for, or as there are.
        others: Further video, of other files if there are enough, for a network that shall name actions.
        space: What the numbers of its actions are.
        truth: Its environment, which can be run again; None if there is none.
        about: What was taken, whether it was trained on, and whether there is an environment, in a few sentences.
    """

    starts: tuple[Start, ...]
    others: tuple[Shown, ...]
    space: ActionSpace
    truth: Truth | None
    about: str

    @property
    def given(self) -> int:
        """How many frames of each start are given."""
        return self.starts[0].given

    @property
    def made(self) -> int:
        """How many frames follow the given ones."""
        return len(self.starts[0].future)

    @property
    def rows(self) -> Rows:
        """float32 `[N, A]`: all actions of the clips."""
        rows: Rows = np.concatenate([start.rows for start in self.starts] + [other.actions for other in self.others])
        return rows

    def truly(self, start: Start, rows: Rows) -> Tensor | None:
        """What truly follows a start if something else is done, uint8 `[T, H, W, 3]`; None if nobody can know."""
        return None if self.truth is None or start.history is None else self.truth.run(start.history, rows)

    def few(self, count: int) -> tuple[Start, ...]:
        """At most so many starts, early ones and of different files if possible: an environment is run from its beginning."""
        early = sorted(self.starts, key=lambda start: start.first)
        chosen = list({start.file: start for start in reversed(early)}.values())  # of each file the earliest
        chosen += [start for start in early if start not in chosen]
        return tuple(sorted(chosen[:count], key=lambda start: start.clip.name))

    def another(self, index: int) -> Start:
        """Another start, of another file if there is one."""
        rest = [*self.starts[index + 1 :], *self.starts[:index]]
        return next((start for start in rest if start.file != self.starts[index].file), rest[0] if rest else self.starts[index])


def world_root(settings: Settings) -> Path:
    """The folder of the recording.

    Raises:
        ValueError: It is none.
    """
    root = Path(str(settings.world))
    if not root.is_dir():
        raise ValueError(f"got --world {root}, which is no folder; wanted a recording with actions, as `framecast record` writes")
    return root


def held_out_recording(bundle: Bundle, settings: Settings) -> Recording:
    """What is taken of the recording of the settings.

    Raises:
        ValueError: It has no actions, those of another space than the bundle, or no video that is long enough.
    """
    root = world_root(settings)
    files, said = unseen_recorded(bundle, settings)
    folder, given = _longest(bundle, settings, root, files)
    space = _checked_space(bundle, folder, root)
    if folder.skipped or folder.damaged:
        print(folder.summary(), file=sys.stderr)
    truth, there = open_truth(root, bundle)
    starts, others = _parted(folder, given, settings.clips, truth)
    if not starts:
        raise ValueError(f"got no clip of {folder.num_frames} frames in {root} of which every action is known; record more")
    if truth is not None:
        truth, there = _checked_truth(truth, there, starts)
    about = f"{_about(starts, bundle.fps)} {said} {there}"
    return Recording(starts, others, space, truth, about)


def unseen_recorded(bundle: Bundle, settings: Settings) -> tuple[list[str], str]:
    """The videos of the recording to cut clips from, and whether the bundle was trained on them, in a few sentences."""
    root = world_root(settings)
    files = list(list_videos(root, settings.include, ()).texts)
    seen = seen_in_training(bundle.training, root, files)
    unseen = [file for file in files if file not in seen.files]
    about = seen.about
    if seen.files:
        about += " Those are left out." if unseen else " So these figures may be those of videos that it has learned by heart."
    return evenly(unseen or files, _FILES_PER_CLIP * settings.clips), about


def _longest(bundle: Bundle, settings: Settings, root: Path, files: Sequence[str]) -> tuple[VideoFolder, int]:
    """The files cut into clips as long as enough of them allow, and how many frames of each clip are given."""
    stride, size = bundle.tokenizer.stride, (bundle.height, bundle.width)
    include = tuple(map(escape, files)) or settings.include
    lengths = [(stride.trimmed(given), max(1, made // stride.frames) * stride.frames) for given, made in _LENGTHS]
    wanted = min(settings.clips, max(1, len(files) // 2))
    for given, made in lengths[:-1]:
        try:
            folder = VideoFolder(str(root), given + made, size, bundle.fps, include)
        except ValueError:  # no file is long enough
            continue
        if len(folder) >= wanted:
            return folder, given
    given, made = lengths[-1]
    return VideoFolder(str(root), given + made, size, bundle.fps, include), given


def _checked_space(bundle: Bundle, folder: VideoFolder, root: Path) -> ActionSpace:
    space = folder.action_space
    if space is None:
        raise ValueError(
            f"got --world {root}, whose videos have no actions; wanted an `actions.jsonl` in it, as `framecast record` writes"
        )
    if bundle.action_space is None or space.names != bundle.action_space.names:
        wanted = "no actions" if bundle.action_space is None else ", ".join(bundle.action_space.names)
        raise ValueError(
            f"got --world {root} with the actions {', '.join(space.names)}, and {bundle.path} takes {wanted}; wanted a recording "
            "of the world that the bundle was trained on"
        )
    return space


def _parted(folder: VideoFolder, given: int, count: int, truth: Truth | None) -> tuple[tuple[Start, ...], tuple[Shown, ...]]:
    """Starts of some files, and video of others; of a single file its later clips are the others."""
    cuts = [(file, number) for file, clips in folder.clips_of_files.items() for number in range(clips)]
    files = list(folder.clips_of_files)
    if len(files) > 1:
        kept = {file for at, file in enumerate(files) if at % _ONE_IN != 1}
        mine = [at for at, (file, _) in enumerate(cuts) if file in kept]
    else:
        mine = list(range(len(cuts) - len(cuts) // _ONE_IN))
    starts = []
    for at in evenly(mine, count):
        clip, (file, number) = folder[at], cuts[at]
        if _is_known(clip):
            first = number * folder.num_frames
            starts.append(Start(clip, given, first, truth.history(file, first + given) if truth else None))
    rest = [at for at in range(len(cuts)) if at not in set(mine)] or mine
    others = [folder[at] for at in evenly(rest, _MOST_FOR_NET)]
    return tuple(starts), tuple(Shown(clip.frames, _rows(clip)) for clip in others if _is_known(clip))


def _is_known(clip: CaptionedClip) -> bool:
    """Whether all actions of a clip are known, but for that before its first frame."""
    return clip.actions is not None and not bool(clip.actions[1:].isnan().any())


def _rows(clip: CaptionedClip) -> Rows:
    assert clip.actions is not None
    rows: Rows = clip.actions.numpy()
    return rows


def _checked_truth(truth: Truth, there: str, starts: Sequence[Start]) -> tuple[Truth | None, str]:
    """The environment, if it shows again what was recorded."""
    start = min((start for start in starts if start.history is not None), key=lambda start: start.first, default=None)
    if start is None or start.history is None:
        return None, "The recording does not say the seeds of its episodes, so its environment is not run again."
    again = truth.run(start.history, start.played)
    near = float("nan") if again is None else float(psnr(to_video(again)[None], to_video(start.future)[None])[0])
    if not near >= _SAME:
        return None, f"Run again with the recorded actions, {truth.name} shows something else ({near:.0f} dB), so it is not used."
    return truth, f"{there} With the recorded actions it shows the recording again, but for its compression ({near:.0f} dB)."


def _about(starts: Sequence[Start], fps: float) -> str:
    length, files = len(starts[0].clip.frames), len({start.file for start in starts})
    return (
        f"{len(starts)} moments of {files} recorded videos, each with {starts[0].given} given frames and "
        f"{len(starts[0].future)} that follow ({length / fps:.1f} s together)."
    )
