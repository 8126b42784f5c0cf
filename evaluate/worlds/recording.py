"""`Recording`: a recording with actions that a bundle was not trained on, cut into starts to play on from."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import numpy as np
from torch import Tensor

from ...data import CaptionedClip, LeRobotFolder, VideoFolder, to_video
from ...data.actions import ActionSpace
from ...data.counted import counted
from ...data.lerobot import INFO_FILE
from ...data.listing import list_videos
from ...data.recorded import ACTIONS_FILE, read_action_lines
from ...sample import Bundle
from ..figures import LEAST_FOR_INTERVAL
from ..metrics import psnr
from ..real.held_out import evenly
from ..real.trained_on import seen_in_training
from ..settings import Settings
from .action_net import Shown, reduced
from .truth import History, Truth, open_truth
from .trying import Rows

Recorded = VideoFolder | LeRobotFolder
_LENGTHS = ((17, 64), (17, 32), (17, 16), (9, 8), (5, 4))
"""Frames that are given and frames that are to follow, as far as the videos are long enough."""
_MOST_FOR_NET = 64  # clips
_MOST_LESSONS = 160  # clips, of a further recording
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
        return _place(self.clip)[0]


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

    @property
    def shown(self) -> tuple[Shown, ...]:
        """All clips: the starts with what truly followed, and the others."""
        return (*(Shown(start.clip.frames, start.rows) for start in self.starts), *self.others)

    @property
    def groups(self) -> list[int]:
        """Which starts share one fate when intervals are drawn: those of one video; if the videos are too few, each is alone."""
        files = [start.file for start in self.starts]
        names = list(dict.fromkeys(files))
        return [names.index(file) for file in files] if len(names) >= LEAST_FOR_INTERVAL else list(range(len(files)))

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
    _check_names(bundle, root)
    source, given = _longest(bundle, settings, root, files)
    space = _checked_space(source, root)
    if source.skipped:
        print(source.summary(), file=sys.stderr)
    truth, there = open_truth(root, bundle)
    with ExitStack() as opened:  # an environment that nobody gets ends, also if a signal or a failure comes before
        if truth is not None:
            opened.callback(truth.close)
        starts, others = _parted(source, given, settings.clips, truth)
        if not starts:
            raise ValueError(f"got no clip of {source.num_frames} frames in {root} of which every action is known; record more")
        if truth is not None:
            truth, there = _checked_truth(truth, there, starts)
        if truth is not None:
            opened.pop_all()
    about = f"{_about(starts, bundle.fps)} {said} {there}"
    return Recording(starts, others, space, truth, about)


def judge_root(settings: Settings) -> Path:
    """The folder of the further recording from which the judge of keys learns.

    Raises:
        ValueError: It is none, or what is judged is in it.
    """
    root, held_out = Path(str(settings.judge)), world_root(settings).resolve()
    if not root.is_dir():
        raise ValueError(f"got --judge {root}, which is no folder; wanted a recording of that world, such as that of training")
    if root.resolve() in (held_out, *held_out.parents) or held_out in root.resolve().parents:
        raise ValueError(
            f"got --judge {root}, which shares videos with --world {settings.world}; wanted another recording: a judge must not "
            "have seen what it judges"
        )
    return root


def lessons(bundle: Bundle, settings: Settings) -> tuple[Shown, ...]:
    """Further video for the judge of keys, small; none if no further recording is given.

    Raises:
        ValueError: As `held_out_recording`, of that recording.
    """
    if settings.judge is None:
        return ()
    root = judge_root(settings)
    _check_names(bundle, root, "--judge")
    source, _ = _longest(bundle, settings, root, evenly(list(list_videos(root, ("*",), ()).texts), _MOST_LESSONS))
    _checked_space(source, root, "--judge")
    clips = [source[at] for at in evenly(range(len(source)), _MOST_LESSONS)]
    return tuple(Shown(reduced(clip.frames), _rows(clip)) for clip in clips)


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


def _longest(bundle: Bundle, settings: Settings, root: Path, files: Sequence[str]) -> tuple[Recorded, int]:
    """The recording cut into clips as long as enough of its videos allow, and how many frames of each clip are given."""
    stride = bundle.tokenizer.stride
    lengths = [(stride.trimmed(given), max(1, made // stride.frames) * stride.frames) for given, made in _LENGTHS]
    wanted = min(settings.clips, max(1, len(files) // 2))
    for given, made in lengths[:-1]:
        with suppress(ValueError):  # no video is long enough
            source = _open(bundle, settings, root, given + made, files)
            if len(source) >= wanted:
                return source, given
    given, made = lengths[-1]
    return _open(bundle, settings, root, given + made, files), given


def _open(bundle: Bundle, settings: Settings, root: Path, num_frames: int, files: Sequence[str]) -> Recorded:
    """The recording at the size and rate of the bundle, in whose action space a steering of 1 is what it was in training."""
    size, fps, space, delay = (bundle.height, bundle.width), bundle.fps, bundle.action_space, settings.action_delay
    if (root / INFO_FILE).is_file():
        return LeRobotFolder(root, num_frames, size, fps, action_space=space, action_delay=delay)
    include, actions = tuple(map(escape, files)) or settings.include, settings.actions
    return VideoFolder(str(root), num_frames, size, fps, include, actions=actions, action_space=space, action_delay=delay)


def _check_names(bundle: Bundle, root: Path, option: str = "--world") -> None:
    """The bundle must know the actions that the recording says it has; one that says nothing is read as the bundle has it."""
    stated, wanted = _stated_names(root), None if bundle.action_space is None else bundle.action_space.names
    if stated is not None and stated != wanted:
        raise ValueError(
            f"got {option} {root} with the actions {', '.join(stated)}, and {bundle.path} takes "
            f"{', '.join(wanted or ('none',))}; wanted a recording of the world that the bundle was trained on"
        )


def _checked_space(source: Recorded, root: Path, option: str = "--world") -> ActionSpace:
    if source.action_space is None:
        raise ValueError(
            f"got {option} {root}, whose videos have no actions; wanted an `actions.jsonl` in it, as `framecast record` writes; "
            "another file of actions is given by --actions"
        )
    return source.action_space


def _stated_names(root: Path) -> tuple[str, ...] | None:
    """What the recording itself calls its actions, if it says so."""
    lines = root / ACTIONS_FILE
    space = read_action_lines(lines).space if lines.is_file() else None
    return None if space is None else space.names


def _parted(source: Recorded, given: int, count: int, truth: Truth | None) -> tuple[tuple[Start, ...], tuple[Shown, ...]]:
    """Starts of some videos, and clips of others; of a single video its later clips are the others."""
    clips = [source[at] for at in evenly(range(len(source)), 3 * max(count // 2, _MOST_FOR_NET))]
    clips = [clip for clip in clips if _is_known(clip, given)]
    files = list(dict.fromkeys(_place(clip)[0] for clip in clips))
    if len(files) > 1:
        kept = {file for at, file in enumerate(files) if at % _ONE_IN != 1}
        mine = [clip for clip in clips if _place(clip)[0] in kept]
    else:
        mine = clips[: len(clips) - len(clips) // _ONE_IN]
    rest = [clip for clip in clips if clip not in mine] or mine
    starts = []
    for clip in evenly(mine, count):
        file, first = _place(clip)
        starts.append(Start(clip, given, first, truth.history(file, first + given) if truth else None))
    return tuple(starts), tuple(Shown(clip.frames, _rows(clip)) for clip in evenly(rest, _MOST_FOR_NET))


def _place(clip: CaptionedClip) -> tuple[str, int]:
    """The video of a clip, and the frame of it with which the clip begins."""
    file, _, seconds = clip.name.rpartition("@")
    return file, round(float(seconds.removesuffix("s")) * clip.fps)


def _is_known(clip: CaptionedClip, given: int) -> bool:
    """Whether all actions after the given frames are known; the first ones of a video are not."""
    return clip.actions is not None and not bool(clip.actions[given:].isnan().any())


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
        f"{counted(len(starts), 'moment')} of {counted(files, 'recorded video')}, each with "
        f"{counted(starts[0].given, 'given frame')} and {len(starts[0].future)} that follow ({length / fps:.1f} s together)."
    )
