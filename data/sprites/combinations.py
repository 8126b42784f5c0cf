"""Which combinations of shape, colour and motion are held out, so that they can be asked for unseen."""

from collections.abc import Sequence
from itertools import product

from .motions import BOUNCES, MOTIONS, PASSES
from .shapes import COLOURS, SHAPES

_HELD_OUT_OF = 10

COMBINATIONS = {"all": None, "seen": False, "unseen": True}
"""The choices of `SpriteWorld(combinations=...)`: whether its combinations are held out, or both kinds."""


def is_held_out(shape: str, colour: str, motion: str) -> bool:
    """Whether a combination is one of the tenth that `SpriteWorld(combinations="seen")` leaves out.

    The sum of the three places in their lists decides, so that each two of the three words still meet.
    """
    place = SHAPES.index(shape) + 3 * tuple(COLOURS).index(colour) + 7 * MOTIONS.index(motion)
    return place % _HELD_OUT_OF == 0


def has_combinations(shapes: Sequence[str], motions: Sequence[str], combinations: str) -> bool:
    """Whether a world of these shapes and motions has any object of the "seen" or the "unseen" combinations in every scene."""
    wanted = COMBINATIONS[combinations]
    free = set(motions) - {PASSES, BOUNCES}  # which not every scene allows
    return wanted is None or any(is_held_out(*words) == wanted for words in product(shapes, COLOURS, free))
