"""`Start`: first frames that a bundle keeps, from which a world can begin."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from ..data.kinds import whole


@dataclass(frozen=True, eq=False, repr=False)
class Start:
    """How a world can begin.

    Attributes:
        name: What a person calls it.
        tokens: int64 `[F, H, W]`, its first latent frames.
        prompt: What it shows; `None` if nobody said it.
    """

    name: str
    tokens: Tensor
    prompt: str | None = None

    def __repr__(self) -> str:
        return f"Start({self.name!r}, {len(self.tokens)} latent frames, {self.prompt!r})"


def find_start(starts: Sequence[Start], which: str | int | Start) -> Start:
    """The start of a name or a number.

    Raises:
        ValueError: There is none.
    """
    if isinstance(which, Start):
        return which
    names = ", ".join(f'"{start.name}"' for start in starts[:12])
    there = f"one of its {len(starts)}, {names}, or a number from 0" if starts else "none: this bundle keeps no starts"
    if isinstance(which, str):
        found = [start for start in starts if start.name == which]
        if not found:
            raise ValueError(f"got the start {which!r:.60}; wanted {there}")
        return found[0]
    return starts[whole("start", which, 0, len(starts) - 1, there)]
