"""Muon: the optimizer of the matrices between hidden vectors, with AdamW for all else in one optimizer."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from ..machine import bfloat16_pays
from ..model.layers import FusedLinear
from .optim import AdamWConfig
from .sharding.tensors import held_rows, is_split, whole

_POLYNOMIALS = ((8.2218, -23.3469, 16.6338), (3.8767, -2.6239, 0.4502), (3.4656, -2.3731, 0.4285), (2.6257, -1.8233, 0.3847))
"""Of first, third and fifth order, to be applied one after the other: each is the one that brings the numbers from 0.003 to 1.02,
as the ones before left them, nearest to 1; with a twentieth of room for rounding after each."""
_SMALL, _ROW_DECAY = 1e-7, 0.95


@dataclass(frozen=True)
class MuonConfig:
    """Muon (Jordan et al. 2024): a matrix moves by its momentum, made orthogonal, so all its directions learn at one rate.

    Embeddings, heads and vectors stay with AdamW. Both follow AdamW's schedule.
    """

    learning_rate: float = 0.04
    """Peak: how far a step moves along every singular direction."""
    momentum: float = 0.95
    """Decay of the running mean of gradients, after its warm-up."""
    momentum_warmup_steps: int = 300
    """Steps in which the momentum rises from 0.85; 0 has none."""
    weight_decay: float = 0.2
    """What a step takes off the weights, for each unit of the learning rate."""
    row_scaling: bool = False
    """Whether the rows of a step are made equally long, by their running mean square (NorMuon, Li et al. 2025)."""

    def __post_init__(self) -> None:
        wrong = self.learning_rate <= 0 or not 0 <= self.momentum < 1 or self.weight_decay < 0
        if wrong or self.momentum_warmup_steps < 0:
            raise ValueError(
                f"got {self}; wanted learning_rate > 0, 0 <= momentum < 1, weight_decay and momentum_warmup_steps >= 0"
            )

    def optimizer(self, layers: Sequence[nn.Linear], module: nn.Module, rest: AdamWConfig) -> "Muon":
        """Muon over the weights of `layers`, and AdamW by the recipe `rest` over the other parameters of `module`."""
        moved = {id(layer.weight) for layer in layers}
        groups = rest.groups(p for p in module.parameters() if id(p) not in moved)
        return Muon([layer for layer in layers if layer.weight.requires_grad], groups, self, rest.learning_rate, rest.betas)

    def momentum_at(self, step: int) -> float:
        """The momentum of a step, from 0."""
        risen = min(1.0, step / self.momentum_warmup_steps) if self.momentum_warmup_steps else 1.0
        return self.momentum - (1 - risen) * max(0.0, self.momentum - 0.85)


class Muon(torch.optim.Optimizer):
    """Muon on some linear layers, AdamW on other parameters.

    If weights are split over processes, every process gathers one direction after the other, computes the same step, and moves
    the rows that it holds.

    Args:
        layers: Layers whose weights are moved by Muon. The maps of a `FusedLinear` are made orthogonal apart from each other.
        others: Groups of parameters for AdamW, with their `weight_decay`.
        config: Settings of Muon.
        lr: Learning rate of AdamW.
        betas: Of AdamW.
    """

    def __init__(
        self,
        layers: Sequence[nn.Linear],
        others: Iterable[dict[str, Any]],
        config: MuonConfig,
        lr: float,
        betas: tuple[float, float],
    ):
        self.config = config
        self._sizes = [layer.sizes if isinstance(layer, FusedLinear) else (layer.out_features,) for layer in layers]
        matrices = {"params": [layer.weight for layer in layers], "lr": config.learning_rate, "muon": True}
        shared = {"lr": lr, "betas": betas, "eps": 1e-8, "weight_decay": config.weight_decay, "muon": False}
        super().__init__([matrices, *others], shared)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            (self._move_matrices if group["muon"] else self._move_others)(group)
        return loss

    def remembered(self, group: dict[str, Any]) -> set[str]:
        """What is kept of each parameter of a group that had a gradient."""
        if not group["muon"]:
            return {"step", "exp_avg", "exp_avg_sq"}
        return {"step", "momentum_buffer", *(("row_squares",) if self.config.row_scaling else ())}

    def _move_matrices(self, group: dict[str, Any]) -> None:
        """Momentum in Nesterov's form, decay, and a step along the orthogonal matrix nearest to it."""
        given = [(p, sizes) for p, sizes in zip(group["params"], self._sizes, strict=True) if p.grad is not None]
        if not given:
            return
        weights, grads = [p for p, _ in given], [p.grad for p, _ in given]
        states = [self._state_of(p) for p in weights]
        step, means = int(states[0]["step"]), [state["momentum_buffer"] for state in states]
        momentum = self.config.momentum_at(step)
        torch._foreach_lerp_(means, grads, 1 - momentum)
        directions = torch._foreach_lerp(grads, means, momentum)
        torch._foreach_mul_(weights, 1 - group["lr"] * self.config.weight_decay)
        matrices = [_Matrix(p, sizes, way) for (p, sizes), way in zip(given, directions, strict=True)]
        for bunch in _bunches(matrices):
            self._move_along(bunch, group["lr"], step)
        torch._foreach_add_([state["step"] for state in states], 1)

    def _move_along(self, bunch: Sequence["_Matrix"], rate: float, step: int) -> None:
        """A step along the orthogonal matrices nearest to the directions, by those rows that this process holds."""
        moves = orthogonal([part for matrix in bunch for part in whole(matrix.direction).split(matrix.sizes)])
        if self.config.row_scaling:
            rows = [self.state[matrix.weight]["row_squares"].split(matrix.sizes) for matrix in bunch]
            squares = chain.from_iterable(rows)
            moves = [move * row_factors(move, square, step) for move, square in zip(moves, squares, strict=True)]
        places = [(matrix.weight, part) for matrix in bunch for part in matrix.parts]
        for (weight, part), move in zip(places, moves, strict=True):
            own, held = held_rows(weight, part)
            own.add_(move[held], alpha=-rate * max(1.0, move.shape[0] / move.shape[1]) ** 0.5)

    def _state_of(self, matrix: Tensor) -> dict[str, Any]:
        """What is remembered of a matrix; zeros before its first step."""
        state: dict[str, Any] = self.state[matrix]
        if not state:
            state |= {"step": torch.zeros(()), "momentum_buffer": torch.zeros_like(matrix)}
            if self.config.row_scaling:
                state["row_squares"] = torch.zeros(len(matrix), 1, dtype=matrix.dtype, device=matrix.device)  # never split
        return state

    def _move_others(self, group: dict[str, Any]) -> None:
        given = [p for p in group["params"] if p.grad is not None]
        for p in given:
            if not self.state[p]:
                zeros = {name: torch.zeros_like(p) for name in ("exp_avg", "exp_avg_sq")}
                self.state[p] = {"step": torch.zeros((), dtype=torch.float32, device=p.device), **zeros}
        states = [self.state[p] for p in given]
        adamw(
            given,
            [p.grad for p in given],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )


@dataclass(frozen=True, eq=False)
class _Matrix:
    """The weight of a layer, the widths of its maps, and the direction in which it is to move."""

    weight: Tensor
    sizes: tuple[int, ...]
    direction: Tensor

    @property
    def parts(self) -> list[slice]:
        """The rows of each map."""
        ends = list(accumulate(self.sizes))
        return [slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True)]


def _bunches(matrices: list[_Matrix]) -> Iterator[list[_Matrix]]:
    """All at once; those that are split over processes one by one, since each is gathered in every process."""
    if any(is_split(matrix.direction) for matrix in matrices):
        yield from ([matrix] for matrix in matrices)
    else:
        yield matrices


def row_factors(move: Tensor, squares: Tensor, step: int) -> Tensor:
    """What each row of a step `[m, n]` is multiplied by, `[m, 1]`, so that rows become equally long and the step stays as long.

    Args:
        move: The step.
        squares: Running mean square of each row, `[m, 1]`; updated.
        step: How many steps came before.
    """
    square = torch.linalg.vector_norm(move, dim=1, keepdim=True).square()
    squares.lerp_(square / move.shape[1], 1 - _ROW_DECAY)
    factors = (squares / (1 - _ROW_DECAY ** (step + 1))).sqrt().clamp(min=_SMALL).reciprocal()
    return factors * (square.sum() / ((square * factors.square()).sum() + _SMALL)).sqrt()


def orthogonal(matrices: Sequence[Tensor]) -> list[Tensor]:
    """Matrices with the singular vectors of the given ones, and singular values near one: 0.7 to 1.3, but for the smallest.

    By four polynomials, the best ones one after the other (Amsel et al. 2025), in the place of five equal steps of Newton-Schulz
    (Jordan et al. 2024); in bfloat16 where the machine is faster by it. Matrices of one shape, or of its transpose, are computed
    together, which takes a fraction of the time on small ones.

    Args:
        matrices: `[m, n]` each, of any shapes.
    """
    shapes: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, matrix in enumerate(matrices):
        shapes[tuple(sorted(matrix.shape, reverse=True))].append(place)
    found = list(matrices)
    for places in shapes.values():
        tall = torch.stack([_tall(matrices[place]) for place in places])
        for place, result in zip(places, _orthogonal(tall), strict=True):
            found[place] = result if matrices[place].shape == result.shape else result.mT.contiguous()
    return found


def _tall(matrix: Tensor) -> Tensor:
    return matrix if matrix.shape[0] >= matrix.shape[1] else matrix.mT


def _orthogonal(tall: Tensor) -> Tensor:
    """Of `[N, m, n]`, m at least n."""
    norm = torch.linalg.matrix_norm(tall, keepdim=True)
    x = (tall / (norm + _SMALL)).to(torch.bfloat16 if bfloat16_pays(tall.device) else tall.dtype)
    for first, third, fifth in _POLYNOMIALS:
        square = x.mT @ x
        both = torch.baddbmm(square, square, square, beta=third, alpha=fifth)
        x = torch.baddbmm(x, x, both, beta=first)
    return x.to(tall.dtype)
