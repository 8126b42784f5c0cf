"""What is seen of one object: its mean picture over the clip, and its place in each frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...data.sprites import COLOURS
from .looks import HALF, LookClassifier, ShapeAndSize, centred
from .pieces import Pieces, full_light, grown, widened
from .tracks import PieceTrack

_BORDER, _SHIFT = 20, 8  # pixels around a piece that are looked at; how far the object may be from the middle of what is seen
_AROUND, _COVERS = 2, 1  # pixels around a piece in which its light ends; and in which another one still covers
_WHOLE, _STRONG = 0.75, 0.3  # share of its pixels, and of its light, with which a frame shows an object as it is
_PICTURES = 16  # frames of a mean picture
_LEAST_FREE = 0.3  # share of an object that must be seen for its place to count


@dataclass(frozen=True, eq=False)
class Sight:
    """One object, as far as it is seen.

    Attributes:
        colour: One of `COLOURS`.
        look: Its shape and size.
        frames: int64 `[F]`, the frames in which it is seen.
        places: float64 `[F, 2]`, its centre (x, y); NaN where too little is seen.
        light: float64 `[F]`, how bright it is, about 0 to 1 of its full colour.
        picture: float32 `[side, side]`, its mean picture.
        steadiness: In what share of the frames that show all of it a frame alone shows its shape; 1 if there is none.
    """

    colour: str
    look: ShapeAndSize
    frames: np.ndarray
    places: np.ndarray
    light: np.ndarray
    picture: Tensor
    steadiness: float


def look_at(track: PieceTrack, others: Sequence[PieceTrack], clip: Pieces, classifier: LookClassifier) -> Sight:
    """What a track shows; the other tracks of the clip cover it where they cross."""
    masks, corners = _crops(track, clip)
    shares, light = _shares(masks, clip, track, corners)
    free = _free(track, others, clip, corners)
    whole = _whole(masks, free, light)
    if whole.any():
        look, picture, steadiness = _averaged(shares[whole], classifier)
    else:
        steadiness = 1.0
        look, picture = _pieced_together(shares, free, masks, classifier)
    places = _places(shares, free, torch.from_numpy(whole), picture)
    size = np.array([clip.above.shape[2], clip.above.shape[1]])
    return Sight(
        colour=tuple(COLOURS)[track.colour],
        look=look,
        frames=np.array(track.frames),
        places=(places.double().numpy() + corners + _BORDER) % size,
        light=light / full_light(track.colour),
        picture=picture,
        steadiness=steadiness,
    )


def _averaged(shares: Tensor, classifier: LookClassifier) -> tuple[ShapeAndSize, Tensor, float]:
    """Look, mean picture and steadiness of an object that is whole in all of some crops."""
    pictures = centred(shares[:: max(1, len(shares) // _PICTURES)])[0]
    picture = pictures.mean(dim=0)
    look = classifier.name(picture[None])
    alone = [classifier.looks[place].shape == look.shape for place in classifier.scores(pictures).argmax(dim=1)]
    return look, picture, float(np.mean(alone))


def _pieced_together(shares: Tensor, free: Tensor, masks: Tensor, classifier: LookClassifier) -> tuple[ShapeAndSize, Tensor]:
    """Look and usual picture of an object that is never whole: what fits where it is not covered, in its best frames."""
    best = (free * masks).sum(dim=(1, 2)).topk(min(3, len(masks))).indices
    likeliest = int(_matched(shares[best], free[best], classifier.pictures)[0].mean(dim=0).argmin())
    return classifier.looks[likeliest], classifier.pictures[likeliest]


def _places(shares: Tensor, free: Tensor, whole: Tensor, picture: Tensor) -> Tensor:
    """The centre of the object in each crop `[F, 2]`, (x, y) from the middle; NaN where too little is seen.

    Where it is whole that is the centre of its mass, and elsewhere the place at which its picture fits best.
    """
    places = torch.full((len(shares), 2), torch.nan)
    places[whole] = centred(shares[whole])[1]
    if not whole.all():
        _, shift, shown = _matched(shares[~whole], free[~whole], picture[None])
        place = shift[:, 0] + centred(picture[None])[1]
        places[~whole] = torch.where(shown > _LEAST_FREE, place, torch.nan)
    return places


def _crops(track: PieceTrack, clip: Pieces) -> tuple[Tensor, np.ndarray]:
    """The pixels of each piece of a track `[F, side, side]`, 0 or 1, around its middle; and the corners (x, y) of these crops."""
    height, width = clip.above.shape[1:3]
    side = 2 * _BORDER + 1
    corners = np.array([np.round(piece.centre) - _BORDER for piece in track.pieces]).astype(np.int64)
    masks = np.zeros((len(corners), side, side), dtype=bool)
    for mask, corner, piece in zip(masks, corners, track.pieces, strict=True):
        x, y = (piece.pixels % width - corner[0]) % width, (piece.pixels // width - corner[1]) % height
        inside = (x < side) & (y < side)
        mask[y[inside], x[inside]] = True
    return torch.from_numpy(masks), corners


def _window(values: np.ndarray, frames: Sequence[int], corners: np.ndarray) -> np.ndarray:
    """The crops at some corners of `[T, H, W, ...]`, across the borders."""
    steps = np.arange(2 * _BORDER + 1)
    rows, columns = ((corners[:, axis, None] + steps) % values.shape[2 - axis] for axis in (1, 0))
    return values[np.array(frames)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _shares(masks: Tensor, clip: Pieces, track: PieceTrack, corners: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """How much of each pixel around a piece is of the object `[F, side, side]`, 0 to about 1; and how bright it is `[F]`."""
    around = torch.from_numpy(_window(clip.above, track.frames, corners))
    inside = around[masks]
    weights = inside.norm(dim=1, keepdim=True)
    direction = F.normalize((inside * weights).sum(dim=0), dim=0)  # of its own colour, as this clip has it
    along = around @ direction
    light = np.array([np.sort(one[mask].numpy())[-1 - int(mask.sum()) // 8] for one, mask in zip(along, masks, strict=True)])
    near = torch.from_numpy(grown(masks.numpy(), _AROUND))
    shares = (along / torch.from_numpy(np.maximum(light, 1.0))[:, None, None]).clamp(0, 1.15) * near
    strongest = float(direction.abs().max())
    return shares, light * strongest


def _free(track: PieceTrack, others: Sequence[PieceTrack], clip: Pieces, corners: np.ndarray) -> Tensor:
    """1 where nothing covers the object, `[F, side, side]`."""
    frames, height, width = clip.above.shape[:3]
    covered = np.repeat(widened(clip.bars)[:, None], height, axis=1)
    theirs = np.zeros((frames, height * width), dtype=bool)
    for other in others:
        for piece in other.pieces:
            theirs[piece.frame, piece.pixels] = True
    covered = covered | grown(theirs.reshape(frames, height, width), _COVERS)
    return torch.from_numpy(~_window(covered, track.frames, corners)).float()


def _whole(masks: Tensor, free: Tensor, light: np.ndarray) -> np.ndarray:
    """bool `[F]`: the frames in which all of an object is seen, and bright enough."""
    near = grown(masks.numpy(), _AROUND)
    pixels = masks.sum(dim=(1, 2)).numpy()
    alone = (near <= (free.numpy() > 0)).all(axis=(1, 2))
    usual = np.percentile(pixels[alone], 75) if alone.any() else np.inf
    return alone & (pixels >= _WHOLE * usual) & (light >= _STRONG * np.percentile(light, 90))


def _matched(shares: Tensor, free: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where pictures `[K, side, side]` fit best in crops `[F, h, w]`, of which only what is free counts.

    Returns:
        The misfit `[F, K]`, 0 to 1; the place `[F, K, 2]` (x, y) from the middle; what share of the picture is free there.
    """
    rest = _BORDER - HALF - _SHIFT
    inner = slice(rest, shares.shape[1] - rest)
    seen, room = (shares * free)[:, None, inner, inner], free[:, None, inner, inner]
    kernels = pictures[:, None]
    theirs = F.conv2d(room, kernels.square())
    own = F.conv2d(seen.square(), torch.ones_like(kernels[:1]))
    misfit = (own + theirs - 2 * F.conv2d(seen, kernels)) / (own + theirs + 1)  # [F, K, places, places]
    least, place = misfit.flatten(2).min(dim=2)
    side = misfit.shape[-1]
    shift = torch.stack([place % side, place // side], dim=2) - side // 2
    shown = theirs.flatten(2).gather(2, place[..., None])[..., 0] / kernels.square().sum(dim=(1, 2, 3))
    return least, shift.float(), shown
