"""Reading a scene from its pixels alone: which objects there are, where, and how much of each can be seen.

Nothing is learned, and nothing is known beforehand but the looks of the sprite world. Colours are told apart by their direction
from the background, shapes by the misfit of their pictures. So a reading judges true, reconstructed and generated videos alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.sprites import COLOURS
from .templates import Look, Templates

_REACH, _NEAR = 4, 2  # pixels around the centre of mass in which an object is looked for; first, where nothing covers it
_LEAST_MASS = 9.0  # pixels; less is no object
_LEAST_LIGHT = 34.0  # of 255, above the background
_LEAST_GLEAM = 6.0  # the same, for what tells of which colour brighter pixels beside it are
_LEAST_COSINE, _EDGE_COSINE = 0.94, 0.8  # between a pixel's colour and one of the palette: to be sure of it, and beside such
_LEAST_TIME = 0.35  # share of a clip; what is seen for less is no object
_CLEAR = 0.75  # share of an object that must be seen for its shape to be judged
_SOLID, _FAINT, _DIM = 0.35, 0.2, 0.4  # opacity below which no shape is judged, nothing is seen, and no object was there at all
_BAR_SHARE, _BAR_WIDTHS = 0.8, (7, 24)  # of a column's pixels that must be grey; columns


@dataclass(frozen=True, eq=False)
class ReadObject:
    """One object of a clip, as far as it can be seen.

    Attributes:
        colour: One of `COLOURS`.
        look: Shape and size over the whole clip.
        positions: float64 `[T, 2]`, its centre (x, y) in pixels, x in [0, W), y in [0, H); NaN if it is hidden.
        seen: float64 `[T]`, the share of its pixels that is seen, about 0 to 1.
        opacity: float64 `[T]`, how bright it is: 1 where it neither fades nor stands in dimmed light.
        looks: The look of each frame; None if too little is seen to judge.
        misfit: float64 `[T]`, how far the best picture is off, 0 to 1; NaN if nothing is judged.
        extra: float64 `[T]`, pixels of its colour that lie beside it.
    """

    colour: str
    look: Look
    positions: np.ndarray
    seen: np.ndarray
    opacity: np.ndarray
    looks: tuple[Look | None, ...]
    misfit: np.ndarray
    extra: np.ndarray

    @cached_property
    def visible(self) -> np.ndarray:
        """bool `[T]`: whether anything of it is seen."""
        return ~np.isnan(self.positions[:, 0])

    @property
    def copies(self) -> int:
        """How many objects of this colour there are: 1, or 2 if for a third of the time another one lies beside it."""
        return 1 + int((self.extra > 2 * _LEAST_MASS).mean() > 1 / 3)


@dataclass(frozen=True, eq=False)
class Reading:
    """What a clip shows.

    Attributes:
        objects: One for each colour that is seen.
        bars: First column of the bar and the first one after it, for each frame; None if there is none.
        height: Rows.
        width: Columns.
    """

    objects: tuple[ReadObject, ...]
    bars: tuple[tuple[int, int] | None, ...]
    height: int
    width: int

    @property
    def count(self) -> int:
        """Objects in all."""
        return sum(item.copies for item in self.objects)

    def find(self, colour: str) -> ReadObject | None:
        """The object of a colour."""
        return next((item for item in self.objects if item.colour == colour), None)


class SceneReader:
    """Reads clips of the sprite world.

    Args:
        radii: Radii of small and of large objects, in pixels.
    """

    def __init__(self, radii: tuple[float, float] = (5.5, 9.0)):
        self.templates = Templates(radii)

    def read(self, frames: Tensor) -> Reading:
        """Reads a clip uint8 `[T, H, W, 3]`.

        Raises:
            ValueError: The frames are not as above.
        """
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != torch.uint8 or not len(frames):
            raise ValueError(f"got frames of shape {list(frames.shape)} and {frames.dtype}; wanted uint8 [T, H, W, 3]")
        pixels = frames.float()
        bars = find_bars(frames.numpy())
        behind = _columns(bars, frames.shape[2])[:, None, :].expand(frames.shape[:3])
        shares = unmix(pixels, behind)
        covered = shares.sum(dim=1)
        objects = [self._read_colour(index, shares[:, index], covered, behind) for index in range(len(COLOURS))]
        found = [item for item in objects if item is not None]
        return Reading(tuple(found), tuple(bars), *frames.shape[1:3])

    def _read_colour(self, colour: int, mask: Tensor, covered: Tensor, behind: Tensor) -> ReadObject | None:
        """The object of a colour, or None if there is none in the clip; `covered` is the mask of all colours together."""
        if (mask.flatten(1).amax(dim=1) > _FAINT).float().mean() < _LEAST_TIME:
            return None
        opacity = _peak(mask)
        there = (((mask / opacity[:, None, None]).flatten(1).sum(dim=1) >= _LEAST_MASS) & (opacity > _FAINT)).numpy()
        if there.mean() < _LEAST_TIME or opacity[there].max() < _DIM:
            return None
        others = (covered - mask) > 0.3
        fit = self._fit(mask[there], (~(behind | others))[there].float())
        return self._assemble(colour, there, fit)

    def _fit(self, mask: Tensor, free: Tensor) -> "_Fit":
        """The best picture at the best place for each of F frames; `free` is 0 where something else covers the object."""
        templates = self.templates
        opacity = _peak(mask)
        solid = (mask / opacity[:, None, None]).clamp(max=1)
        seen, centres = solid * free, centre_of_mass(mask)
        is_free = (_crops(free, centres, templates.half + _REACH) == 1).flatten(1).all(dim=1)
        found = _Found.nowhere(len(mask), len(templates.pictures))
        self._search(seen, free, centres, is_free.nonzero()[:, 0], _NEAR, found)
        best_place = found.shift[torch.arange(len(mask)), found.misfit.argmin(dim=1)]
        doubtful = ~is_free | (best_place.abs() == _NEAR).any(dim=1)
        self._search(seen, free, centres, doubtful.nonzero()[:, 0], _REACH, found)
        by_look = torch.full((len(mask), len(templates.looks)), 2.0)
        by_look = by_look.scatter_reduce(1, templates.look_of.expand(len(mask), -1), found.misfit, "amin")
        near, everywhere = (x.flatten(1).sum(dim=1) for x in (_crops(seen, centres, templates.half + _REACH), seen))
        return _Fit(found, seen, by_look, centres, opacity, near, everywhere)

    def _search(self, seen: Tensor, free: Tensor, centres: Tensor, frames: Tensor, reach: int, found: "_Found") -> None:
        """Looks for every picture at most `reach` pixels from the centres, in some of all frames; notes what it finds."""
        if not len(frames):
            return
        templates, width, side = self.templates, 2 * self.templates.half + 1, 2 * reach + 1
        crop, room = (_crops(x[frames], centres[frames], templates.half + reach) for x in (seen, free))
        looked = F.unfold(crop[:, None], width).transpose(1, 2)  # [F, places, pixels]
        theirs = templates.masses.expand(len(frames), 1, -1)  # [F, places or 1, K]: where nothing covers it, a picture is whole
        if not (room == 1).all():
            theirs = F.unfold(room[:, None], width).transpose(1, 2) @ templates.pictures.square().T
        own = looked.square().sum(-1, keepdim=True)
        misfit = (looked @ (-2 * templates.pictures.T)).add_(own).add_(theirs).div_(own + theirs + 1)  # [F, places, K]
        found.misfit[frames], place = misfit.min(dim=1)
        found.shown[frames] = theirs.expand_as(misfit).gather(1, place[:, None])[:, 0] / templates.masses
        found.shift[frames] = torch.stack([place % side - reach, place // side - reach], dim=2)

    def _assemble(self, colour: int, there: np.ndarray, fit: "_Fit") -> ReadObject:
        templates, total = self.templates, len(there)
        picture = fit.found.misfit.argmin(dim=1)
        frames = torch.arange(len(picture))
        seen = fit.near / templates.areas[templates.look_of[picture]]
        clear = (fit.found.shown[frames, picture] > _CLEAR) & (seen > _CLEAR) & (fit.opacity > _SOLID)
        judged = clear if clear.any() else torch.ones_like(clear)
        look = int(fit.by_look[judged].mean(dim=0).argmin())
        alike = templates.look_of == look
        picture = torch.where(clear, picture, fit.found.misfit.masked_fill(~alike, 9).argmin(dim=1))
        middle = fit.centres + fit.found.shift[frames, picture]
        positions = middle + templates.offsets[picture]
        covered = (_crops(fit.seen, middle, templates.half).flatten(1) * templates.reach[picture]).sum(dim=1)
        size = torch.tensor([fit.seen.shape[2], fit.seen.shape[1]])
        looks = [templates.looks[int(templates.look_of[p])] if c else None for p, c in zip(picture, clear, strict=True)]
        spread = np.flatnonzero(there)
        by_frame: list[Look | None] = [None] * total
        for frame, its_look in zip(spread, looks, strict=True):
            by_frame[frame] = its_look
        return ReadObject(
            colour=tuple(COLOURS)[colour],
            look=templates.looks[look],
            positions=_spread(positions % size, spread, total, np.nan),
            seen=_spread(fit.near / templates.areas[look], spread, total, 0.0),
            opacity=_spread(fit.opacity, spread, total, 0.0),
            looks=tuple(by_frame),
            misfit=_spread(torch.where(clear, fit.found.misfit.amin(dim=1), torch.nan), spread, total, np.nan),
            extra=_spread(fit.everywhere - covered, spread, total, 0.0),
        )


@dataclass(frozen=True)
class _Found:
    """Where each of K pictures fits best in each of F frames.

    Attributes:
        misfit: `[F, K]`, 0 to 1, or 2 where nothing was looked for.
        shift: int64 `[F, K, 2]`, how far from the middle, (x, y) in pixels.
        shown: `[F, K]`, the share of the picture that nothing covers.
    """

    misfit: Tensor
    shift: Tensor
    shown: Tensor

    @classmethod
    def nowhere(cls, frames: int, pictures: int) -> "_Found":
        """Before anything was looked for."""
        return cls(torch.full((frames, pictures), 2.0), torch.zeros(frames, pictures, 2).long(), torch.zeros(frames, pictures))


@dataclass(frozen=True)
class _Fit:
    """How well each picture fits in each of F frames.

    Attributes:
        found: Where, and how well.
        seen: `[F, H, W]`, what is seen of the colour.
        by_look: `[F, looks]`, the least misfit of each look.
        centres: int64 `[F, 2]`, the pixel around which was looked.
        opacity: `[F]`.
        near: `[F]`, pixels of the colour around that place.
        everywhere: `[F]`, pixels of the colour in all.
    """

    found: _Found
    seen: Tensor
    by_look: Tensor
    centres: Tensor
    opacity: Tensor
    near: Tensor
    everywhere: Tensor


def unmix(pixels: Tensor, behind: Tensor) -> Tensor:
    """How much of each pixel is of each colour: float32 `[T, colours, H, W]`, about 0 to 1, at most one above 0.

    A pixel at the edge of an object lies between background and colour, and so does a pixel of a faded object. Its colour is told
    by its direction from the background, which is the median of its frame, and by the brighter pixels around it.

    Args:
        pixels: `[T, H, W, 3]`, 0 to 255.
        behind: bool `[T, H, W]`, true where the bar is.
    """
    frames, height, width = behind.shape
    planes = pixels.permute(3, 0, 1, 2).contiguous()  # [3, T, H, W]
    ground = planes.flatten(2).median(dim=2).values  # [3, T]
    palette = torch.tensor(list(COLOURS.values()), dtype=torch.float32) - ground.T[:, None]  # [T, colours, 3]
    reach = palette.norm(dim=-1)
    above = planes - ground[:, :, None, None]
    lengths = above.square().sum(dim=0).sqrt_()
    place = ((lengths > _LEAST_GLEAM) & ~behind).flatten().nonzero()[:, 0]  # of the few pixels that are not background
    when, length = place // (height * width), lengths.flatten()[place]
    along = torch.einsum("cp,pnc->pn", above.flatten(1)[:, place], palette[when])
    cosine = along / (length[:, None] * reach[when]).clamp(min=1e-6)
    sure = torch.zeros(frames * height * width, len(COLOURS))
    sure[place] = length.square()[:, None] * (cosine - _LEAST_COSINE).clamp(min=0)
    bright = (length > _LEAST_LIGHT).nonzero()[:, 0]
    around = _around(sure, place[bright], height, width)  # edges belong to what they are the edge of
    most, nearest = around.max(dim=1)
    rows = torch.arange(len(bright))
    is_colour = (most > 0) & (cosine[bright][rows, nearest] > _EDGE_COSINE)
    share = along[bright][rows, nearest] / reach[when[bright]][rows, nearest].square()
    shares = torch.zeros(frames, len(COLOURS), height * width)
    shares[when[bright], nearest, place[bright] % (height * width)] = share * is_colour
    return shares.unflatten(2, (height, width))


def _around(values: Tensor, place: Tensor, height: int, width: int) -> Tensor:
    """Sums over the 5 x 5 pixels around each of some places of `values` `[T * H * W, N]`, on frames whose borders meet."""
    when, row, column = place // (height * width), place // width % height, place % width
    steps = torch.arange(-2, 3)
    rows, columns = (row[:, None] + steps) % height, (column[:, None] + steps) % width
    near = (when[:, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]
    return values[near.flatten(1)].sum(dim=1)


def find_bars(frames: np.ndarray) -> list[tuple[int, int] | None]:
    """The bar in each frame uint8 `[T, H, W, 3]`: the first of its columns and the first one after it."""
    tall = np.ascontiguousarray(frames.transpose(3, 0, 1, 2), dtype=np.float32)  # [3, T, H, W]
    values = np.mean([np.roll(tall, shift, axis=2) for shift in (-2, -1, 0, 1, 2)], axis=0)
    light = values.mean(axis=0)
    middle = np.median(light.reshape(len(frames), -1), axis=1)[:, None, None]
    grey = (values.max(axis=0) - values.min(axis=0) < 26) & (light > middle + 22)
    may_have = (grey.mean(axis=1) > _BAR_SHARE).sum(axis=1) >= _BAR_WIDTHS[0]
    return [_find_bar(grey[at], light[at]) if may else None for at, may in enumerate(may_have)]


def _find_bar(grey: np.ndarray, light: np.ndarray) -> tuple[int, int] | None:
    """The bar in a frame of which it is known which pixels are grey and light, `[H, W]`."""
    flat = np.abs(light - np.median(light, axis=0)) < 20
    columns = (grey & flat).mean(axis=0) > _BAR_SHARE
    edges = np.flatnonzero(np.diff(np.concatenate([[0], columns.astype(np.int8), [0]])))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if _BAR_WIDTHS[0] <= b - a <= _BAR_WIDTHS[1]]
    return max(runs, key=lambda run: run[1] - run[0]) if runs else None


def centre_of_mass(mask: Tensor) -> Tensor:
    """The pixel (x, y) at the middle of each mask `[F, H, W]`, on a frame whose borders meet: int64 `[F, 2]`."""
    centres = []
    for axis in (2, 1):
        profile = mask.sum(dim=3 - axis)
        angles = torch.arange(mask.shape[axis]) * (2 * np.pi / mask.shape[axis])
        angle = torch.atan2(profile @ angles.sin(), profile @ angles.cos())
        centres.append((angle / (2 * np.pi) * mask.shape[axis]).round().long() % mask.shape[axis])
    return torch.stack(centres, dim=1)


def _crops(masks: Tensor, centres: Tensor, around: int) -> Tensor:
    """The square of `2 around + 1` pixels around each centre, across the borders: `[F, side, side]`."""
    offsets = torch.arange(-around, around + 1)
    columns, rows = ((centres[:, axis, None] + offsets) % masks.shape[2 - axis] for axis in (0, 1))
    return masks[torch.arange(len(masks))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _peak(mask: Tensor) -> Tensor:
    """How bright each object is: the brightest tenth of its pixels, `[F]`, above 0."""
    covered = (mask > 0).flatten(1).sum(dim=1).clamp(min=10)
    ranked = mask.flatten(1).topk(int(covered.max()) // 10 + 1).values
    return ranked.gather(1, (covered // 10)[:, None])[:, 0].clamp(min=0.05)


def _columns(bars: Sequence[tuple[int, int] | None], width: int) -> Tensor:
    """bool `[T, W]`: the columns of the bar and two beside it on either side, where its edge is mixed with what is behind."""
    columns = torch.zeros(len(bars), width, dtype=torch.bool)
    for row, bar in zip(columns, bars, strict=True):
        if bar is not None:
            row[max(0, bar[0] - 2) : bar[1] + 2] = True
    return columns


def _spread(values: Tensor, frames: np.ndarray, total: int, fill: float) -> np.ndarray:
    """Values of some frames as an array over all."""
    out = np.full((total, *values.shape[1:]), fill)
    out[frames] = values.double().numpy()
    return out
