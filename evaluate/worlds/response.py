"""When a pressed key shows: one moment and one seed with the key and without it, so that all that differs is the key's doing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from einops import reduce
from torch import Tensor

from ..figures import Curve, Figure, mean_of, share_of
from ..study import Progress, Study, part_of
from .recording import Start
from .trying import Key

_SHOWS = 5.0  # levels, of the block that differs most: what `frozen_share` takes for motion
_BLOCK = 8  # pixels


@dataclass(frozen=True)
class Response:
    """What a key did at one moment.

    Attributes:
        key: Which.
        start: When.
        with_key: uint8 `[T, H, W, 3]`, what was dreamt while the key was held.
        without: uint8 `[T, H, W, 3]`, the same without it.
        true_with: As `with_key`, in the true environment; None if it was not run.
        true_without: As `without`, in the true environment.
    """

    key: Key
    start: Start
    with_key: Tensor
    without: Tensor
    true_with: Tensor | None = None
    true_without: Tensor | None = None

    @property
    def distance(self) -> np.ndarray:
        """Levels by which the block that differs most does so, in each frame."""
        return block_distance(self.with_key, self.without)

    @property
    def true_distance(self) -> np.ndarray | None:
        """The same in the true environment."""
        if self.true_with is None or self.true_without is None:
            return None
        return block_distance(self.true_with, self.true_without)


def responses(
    study: Study, keys: Sequence[Key], starts: Sequence[Start], tried: Sequence[Start], frames: int, progress: Progress
) -> list[Response]:
    """Presses each key at each start.

    Args:
        study: Whose bundle dreams.
        keys: Which are pressed.
        starts: Where.
        tried: Those of the starts at which the true environment is run as well.
        frames: For how many frames a key is held.
        progress: Is told how far it is.
    """
    found = []
    for at, key in enumerate(keys):
        told = part_of(progress, at, len(keys))
        held, free = ([change(start.played[:frames]) for start in starts] for change in (key.press, key.release))
        with_key = study.dream(starts, held, part_of(told, 0, 4))
        without = study.dream(starts, free, part_of(told, 1, 4))
        for place, start in enumerate(starts):
            is_tried = start in tried
            runs = [study.recording.truly(start, rows[place]) if is_tried else None for rows in (held, free)]
            found.append(Response(key, start, with_key[place], without[place], *runs))
            part_of(told, 1, 2)((place + 1) / len(starts))
    return found


def block_distance(one: Tensor, other: Tensor) -> np.ndarray:
    """Root mean square difference of the 8 x 8 block that differs most, in levels, of each frame uint8 `[T, H, W, 3]`."""
    rows, columns = (side // _BLOCK * _BLOCK or side for side in one.shape[1:3])
    squares = (one[:, :rows, :columns].float() - other[:, :rows, :columns].float()).square()
    block = {"h": min(_BLOCK, rows), "w": min(_BLOCK, columns)}
    blocks = reduce(squares, "t (y h) (x w) c -> t y x", "mean", **block)
    found: np.ndarray = reduce(blocks, "t y x -> t", "max").sqrt().numpy()
    return found


def first_shown(distance: np.ndarray) -> float:
    """The first frame that differs visibly, counted from 0; NaN if none does."""
    shown = np.flatnonzero(distance >= _SHOWS)
    return float(shown[0]) if len(shown) else float("nan")


def response_figures(found: Sequence[Response], stride: int) -> list[Figure]:
    """When keys show, against when they truly show if that is known."""
    made = [first_shown(each.distance) for each in found]
    true = [None if each.true_distance is None else first_shown(each.true_distance) for each in found]
    hits = [_in_time(*pair, stride) for pair in zip(made, true, strict=True)]
    clips = _groups_of([each.start for each in found])
    name = "pressed keys that show within one latent frame"
    figures = [share_of(name, hits, clips, target=">= 95 (W3)")]
    figures.append(mean_of("frames until a pressed key shows", [frame + 1 for frame in made], clips=clips, better="lower"))
    if any(frame is not None for frame in true):
        delays = [float("nan") if frame is None else frame + 1 for frame in true]
        figures.append(mean_of("frames until a pressed key shows in the true environment", delays, clips=clips, better=""))
    for key in dict.fromkeys(each.key for each in found):
        own = [at for at, each in enumerate(found) if each.key == key]
        figures.append(share_of(f"{key.name}: shows within one latent frame", [hits[at] for at in own], better="higher"))
    return figures


def chance_figure(without: Sequence[Tensor], others: Sequence[Tensor], starts: Sequence[Start], stride: int) -> Figure:
    """How often the same actions differ as visibly by the noise alone: where they do, a key that shows says little.

    Args:
        without: uint8 `[T, H, W, 3]`, dreams of the starts.
        others: The same with other noise.
        starts: When.
        stride: Frames of a latent frame.
    """
    hits = [_in_time(first_shown(block_distance(*pair)), None, stride) for pair in zip(without, others, strict=True)]
    name = "for comparison: no key, but another seed, that shows within one latent frame"
    return share_of(name, hits, _groups_of(starts), better="")


def response_curves(found: Sequence[Response]) -> list[Curve]:
    """How far a key brings the video from what it would be without it, by frame."""
    title, x_label, y_label = "What a held key changes", "frames since it was pressed", "levels, most changed block"
    curves = []
    for key in dict.fromkeys(each.key for each in found):
        rows = np.mean([each.distance for each in found if each.key == key], axis=0)
        x = tuple(float(index + 1) for index in range(len(rows)))
        curves.append(Curve(title, f"{key.name}, dreamt", x, tuple(map(float, rows)), x_label, y_label))
    true = [each.true_distance for each in found if each.true_distance is not None]
    if true:
        rows = np.mean(true, axis=0)
        x = tuple(float(index + 1) for index in range(len(rows)))
        curves.append(Curve(title, "all keys, in the true environment", x, tuple(map(float, rows)), x_label, y_label))
    return curves


def _in_time(made: float, true: float | None, stride: int) -> float:
    """Whether a key shows in the latent frame after it truly shows; NaN if it truly does nothing there."""
    if true is not None and np.isnan(true):
        return float("nan")
    return float(made < stride + (true or 0.0))  # never shown is NaN, which is not below anything


def _groups_of(starts: Sequence[Start]) -> list[int]:
    """A number for each start, the same for those of one clip."""
    names = list(dict.fromkeys(start.clip.name for start in starts))
    return [names.index(start.clip.name) for start in starts]
