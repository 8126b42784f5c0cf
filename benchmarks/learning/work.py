"""What a process does: one training of an arm, or the time of its steps."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from framecast.train.memory import keep_freed_memory

from .arms import ARMS
from .training import Loop, Run, batches, open_data, train

_TIMED_STEPS, _FIRST_STEPS = 10, 2


@dataclass(frozen=True)
class Work:
    """Where all is, and how many steps the base has."""

    tokenizer: Path
    shards: Path
    steps: int

    def train(self, arm: str, seed: int) -> Run:
        """One training, in a process of its own."""
        _alone()
        recipe = ARMS[arm]
        data = open_data(self.tokenizer, self.shards, recipe.batch_size)
        return train(arm, recipe, data, seed, round(recipe.share * self.steps))

    def cost(self, arm: str) -> float:
        """Processor seconds of a step over those of the base, whose steps take turns with the arm's."""
        _alone()
        loops = []
        for recipe in (ARMS[arm], ARMS["base"]):
            torch.manual_seed(0)
            data = open_data(self.tokenizer, self.shards, recipe.batch_size)
            loops.append(Loop(recipe.training_of(data), batches(data), 1000, recipe.decay))
        seconds = [[loop() for loop in loops] for _ in range(_TIMED_STEPS)][_FIRST_STEPS:]
        return median(own for own, _ in seconds) / median(base for _, base in seconds)


def _alone() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
