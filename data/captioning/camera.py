"""How the camera moves from a picture to the next one: by what most of the picture agrees on, and not by a mean."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .blocks import Blocks, Floats

_TRIALS = 160
_LEAST_BLOCKS = 8  # with texture, below which nothing is said of the camera
_AGREES = 0.75  # pixels between a block's shift and the camera's
_AT_REST = 0.15  # pixels; a slow zoom moves most blocks by more
_REST_SHARE = 0.45  # of the certain blocks at rest, from which on the camera is at rest, however the others move
_MOST_DRIFT, _ARM = 0.1, 40.0  # pixels a picture, and where a turn is felt
_MOVES = 1.5  # pixels beside the camera's shift
_LEAST_PARTS = 4  # ninths of the picture in which blocks agree on a camera that moves
_FITS = 2.0  # levels by which rest fits better than what a thing does
_CHANGED = 8.0  # levels by which a place changes that is no noise
_CLEARLY = 5.0  # levels by which another shift fits better than the camera's


@dataclass(frozen=True, eq=False)
class CameraMotion:
    """What the picture does as a whole: each place p goes to p + shift + turn p, in complex numbers x + iy.

    Attributes:
        shift: Pixels to the right and down.
        turn: Its real part is the zoom, its imaginary part the rotation, both a picture.
        share: Of the certain blocks, how many agree; 0 if nothing can be said.
        moving: bool `[N]`, which blocks move otherwise.
    """

    shift: complex
    turn: complex
    share: float
    moving: NDArray[np.bool_]

    @property
    def rests(self) -> bool:
        """Whether the camera stands still, as far as one can say."""
        return abs(self.shift) < _MOST_DRIFT and abs(self.turn) * _ARM < _MOST_DRIFT


def resting(blocks: Blocks) -> CameraMotion:
    """A camera that is known to stand still."""
    errors = blocks.error_at_rest()
    changed = errors > max(_CHANGED, 3 * float(np.quantile(errors, 0.25)))  # also without a way, as water does
    return CameraMotion(0j, 0j, 1.0, _moving(blocks, 0j, 0j) | changed)


def camera_motion(blocks: Blocks) -> CameraMotion:
    """Shift, zoom and rotation with the least median of the blocks' distances from them (Rousseeuw 1984), then their mean.

    Where nearly half of the blocks rest exactly, the camera does too: something large that passes by has no say. Where blocks
    agree on a motion in few parts of the picture, that is of a thing: the camera is at rest if others speak against that motion.
    """
    certain = np.flatnonzero(blocks.certain)
    if len(certain) < _LEAST_BLOCKS:
        return CameraMotion(0j, 0j, 0.0, _moving(blocks, 0j, 0j))
    places, shifts = _complex(blocks.places[certain]), _complex(blocks.shifts[certain])
    if (np.abs(shifts) < _AT_REST).mean() >= _REST_SHARE:
        return resting(blocks)
    shift, turn = _least_median(places, shifts)
    agrees = np.abs(shifts - shift - turn * places) < max(_AGREES, 0.1 * abs(shift))
    if agrees.sum() >= 3:
        shift, turn = _fit(places[agrees], shifts[agrees])
        agrees = np.abs(shifts - shift - turn * places) < max(_AGREES, 0.1 * abs(shift))
    if _parts_of(blocks.places, certain[agrees]) < _LEAST_PARTS:  # a thing that passes before a plain ground, or nothing
        expected = shift + turn * _complex(blocks.places)
        along = blocks.error_at(np.stack([expected.real, expected.imag], axis=1).astype(np.float32))
        rests = (along - blocks.error_at_rest() > _FITS).sum() >= _LEAST_BLOCKS / 2
        return resting(blocks) if rests else CameraMotion(0j, 0j, 0.0, _moving(blocks, 0j, 0j))
    return CameraMotion(shift, turn, float(agrees.mean()), _moving(blocks, shift, turn))


def _parts_of(places: Floats, chosen: NDArray[np.int64]) -> int:
    """In how many ninths of the picture some blocks lie."""
    thirds = np.floor((places / (2 * np.abs(places).max(0) + 1e-6) + 0.5) * 3).astype(int)
    return len(np.unique(thirds[chosen], axis=0))


def _complex(pairs: Floats) -> NDArray[np.complex128]:
    return pairs[:, 0] + 1j * pairs[:, 1].astype(np.float64)


def _least_median(places: NDArray[np.complex128], shifts: NDArray[np.complex128]) -> tuple[complex, complex]:
    """The best of motions that go through two blocks each; the same pairs at each call."""
    pairs = np.random.default_rng(len(places)).integers(0, len(places), (_TRIALS, 2))
    apart = places[pairs[:, 1]] - places[pairs[:, 0]]
    far = np.abs(apart) > np.median(np.abs(places)) / 2  # blocks side by side say nothing of a zoom
    pairs, apart = pairs[far], apart[far]
    turns = np.append((shifts[pairs[:, 1]] - shifts[pairs[:, 0]]) / apart, 0)
    starts = np.append(
        shifts[pairs[:, 0]] - turns[:-1] * places[pairs[:, 0]], np.median(shifts.real) + 1j * np.median(shifts.imag)
    )
    medians = np.median(np.abs(shifts - starts[:, None] - turns[:, None] * places), axis=1)
    best = int(medians.argmin())
    return complex(starts[best]), complex(turns[best])


def _fit(places: NDArray[np.complex128], shifts: NDArray[np.complex128]) -> tuple[complex, complex]:
    """Least squares of those that agree."""
    around = places - places.mean()
    turn = (np.conj(around) * shifts).sum() / max((np.abs(around) ** 2).sum(), 1e-9)
    return complex(shifts.mean() - turn * places.mean()), complex(turn)


def _moving(blocks: Blocks, shift: complex, turn: complex) -> NDArray[np.bool_]:
    expected = shift + turn * _complex(blocks.places)
    pairs = np.stack([expected.real, expected.imag], axis=1).astype(np.float32)
    beside = np.abs(_complex(blocks.shifts) - expected) > _MOVES
    return beside & (blocks.error_at(pairs) - blocks.errors > _CLEARLY)
