"""`Past`: all that a stream has made, and what it was made of; `PastLog` keeps it while it grows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from .params import SamplingParams, checked_seed

T = TypeVar("T")
Changes = tuple[tuple[int, T], ...]
"""Values with the latent frames from which they hold, in order."""


@dataclass(frozen=True)
class Recipe:
    """How latent frames were made.

    Attributes:
        seed: Seed of their noise.
        params: How their tokens were chosen.
        given: Whether they were given to a stream of this seed and these settings, which only read them.
    """

    seed: int
    params: SamplingParams
    given: bool = False

    def values(self) -> list[Any]:
        """As plain values, from which `of_values` makes it again."""
        return [self.seed, self.params.values(), *([True] if self.given else [])]

    @classmethod
    def of_values(cls, values: Sequence[Any]) -> Self:
        """The inverse of `values`.

        Raises:
            ValueError: They are those of no recipe.
            TypeError: They are too many, too few or of another kind.
        """
        seed, params, *given = values
        return cls(checked_seed(seed), SamplingParams(**params), given == [True])


@dataclass(frozen=True, eq=False)
class Past:
    """The latent frames of a video.

    Attributes:
        tokens: int64 `[T, H, W]`; T may be 0.
        prompts: The prompts that held for them.
        recipes: How they were made; none if a real video was encoded.
        actions: float32 `[T, stride, A]`, what was done, NaN where that is unknown; `None` of a model without actions.
    """

    tokens: Tensor
    prompts: Changes[str] = ()
    recipes: Changes[Recipe] = ()
    actions: Tensor | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def num_given(self) -> int:
        """How many of the first latent frames were given."""
        return next((start for start, recipe in self.recipes if not recipe.given), len(self) if self.recipes else 0)

    def first(self, length: int) -> Self:
        """The first latent frames."""
        prompts = tuple(change for change in self.prompts if change[0] < length)
        recipes = tuple(change for change in self.recipes if change[0] < length)
        return type(self)(self.tokens[:length], prompts, recipes, None if self.actions is None else self.actions[:length])

    def pieces(self) -> Iterator[tuple[slice, str, Recipe | None]]:
        """Latent frames that have a prompt and a recipe in common, with these; without prompts there are none."""
        starts = sorted({start for start, _ in (*self.prompts, *self.recipes)})
        for start, end in pairwise([*starts, len(self)]):
            if start < end:
                yield slice(start, end), held(self.prompts, start, ""), held(self.recipes, start, None)


def held(changes: Sequence[tuple[int, T]], index: int, otherwise: T) -> T:
    """What holds for a latent frame."""
    return next((value for start, value in reversed(changes) if start <= index), otherwise)


class PastLog:
    """The past of a stream, in small arrays that double when they are full: 4 bytes a token.

    Args:
        past: What there is to begin with.
    """

    def __init__(self, past: Past):
        self._tokens, self._length = past.tokens.to("cpu", torch.int32), len(past)
        self._actions = past.actions
        self._prompts, self._recipes = list(past.prompts), list(past.recipes)

    @torch.inference_mode()
    def append(self, tokens: Tensor, prompt: str, recipe: Recipe, actions: Tensor | None = None) -> None:
        """Adds a latent frame `[H, W]`, its actions `[stride, A]`, and the prompt and recipe that held for it."""
        _note(self._prompts, self._length, prompt)
        _note(self._recipes, self._length, recipe)
        self._tokens = self._with(self._tokens, tokens)
        if actions is not None:
            assert self._actions is not None, "what has actions had them from its start"
            self._actions = self._with(self._actions, actions)
        self._length += 1

    def __len__(self) -> int:
        return self._length

    @property
    def prompts(self) -> Changes[str]:
        """The prompts, with the latent frames from which they held."""
        return tuple(self._prompts)

    def tokens(self) -> Tensor:
        """int64 `[T, H, W]`."""
        return self._tokens[: self._length].long()

    def actions(self) -> Tensor | None:
        """float32 `[T, stride, A]`."""
        return None if self._actions is None else self._actions[: self._length].clone()

    def past(self) -> Past:
        """All of it, as it is now."""
        return Past(self.tokens(), self.prompts, tuple(self._recipes), self.actions())

    def _with(self, memory: Tensor, row: Tensor) -> Tensor:
        """The memory with one more row, maybe grown."""
        if self._length == len(memory):
            memory = torch.cat([memory, memory.new_empty(max(16, self._length), *row.shape)])
        memory[self._length] = row
        return memory


def _note(changes: list[tuple[int, T]], index: int, value: T) -> None:
    """Enters a value if it is another one than before."""
    if not changes or changes[-1][1] != value:
        changes.append((index, value))
