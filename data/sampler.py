"""The order of the clips of a training: endless, and resumed exactly."""

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler


class ResumableSampler(Sampler[int]):
    """Item indices without end, epoch after epoch, each epoch in an order of its own.

    The order of an epoch is a pure function of (seed, epoch), and the position alone is the state. So whoever counts the
    items that were *used* can go on at exactly the next one, however many items the workers had fetched ahead.

    Args:
        num_samples: Items of the data set, >= 1.
        seed: Chooses the orders.
        rank: Which of `num_ranks` processes this is; it takes every `num_ranks`-th item of the common order.
        num_ranks: How many processes share the data set.

    Raises:
        ValueError: If there is nothing to draw from, or the rank does not exist.
    """

    def __init__(self, num_samples: int, seed: int = 0, rank: int = 0, num_ranks: int = 1):
        if num_samples < 1:
            raise ValueError(f"got {num_samples} items to sample from; wanted at least 1; check the source's folder or filter")
        if not 0 <= rank < num_ranks:
            raise ValueError(f"got rank {rank} of {num_ranks}; wanted 0 <= rank < num_ranks")
        self.num_samples, self.seed, self.rank, self.num_ranks = num_samples, seed, rank, num_ranks
        self.position = 0
        """Items of the common order that are used up, over all ranks and epochs; the next `iter` starts there."""

    def epoch_order(self, epoch: int) -> list[int]:
        """The order of one epoch: a permutation of `range(num_samples)`."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        return torch.randperm(self.num_samples, generator=generator).tolist()

    def __iter__(self) -> Iterator[int]:
        epoch, offset = divmod(self.position + self.rank, self.num_samples)
        while True:
            order = self.epoch_order(epoch)
            while offset < self.num_samples:
                yield order[offset]
                offset += self.num_ranks
            skipped, offset = divmod(offset, self.num_samples)
            epoch += skipped

    def state_dict(self) -> dict[str, int]:
        """Where the sampler stands, as plain values."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """The next `iter` starts where `state` says."""
        self.position = state["position"]
