"""Choosing tokens from logits: guidance, temperature, top-k, top-p, and one uniform number per token."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .guides import Guides
from .params import SamplingParams

_TEXT = Guides(text=True)


def guide(logits: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance on one doubled batch (Ho and Salimans 2022).

    Args:
        logits: `[2 R, S, V]`, the rows with their prompts, then the same rows with the null prompt.
        scale: 1 gives the conditional prediction, 0 the unconditional one.

    Returns:
        `[R, S, V]`.
    """
    conditional, unconditional = logits.chunk(2)
    if scale == 1:
        return conditional
    guided = unconditional + scale * (conditional - unconditional)
    return guided.masked_fill(conditional == float("-inf"), float("-inf"))  # the impossible stays so; inf - inf is no number


def guide_all(logits: Tensor, params: SamplingParams, guides: Guides) -> Tensor:
    """Guidance on text, and apart from it on actions: what knowing the actions changes, is changed by so much more.

    Args:
        logits: `[n R, S, V]`, the predictions of R streams for each of the n rows of `guides`.
        params: The scales.
        guides: What the rows are.

    Returns:
        `[R, S, V]`.
    """
    conditional, *others = logits.chunk(guides.rows)
    guided = guide(torch.cat([conditional, others[0]]), params.guidance_scale) if guides.text else conditional
    if not guides.action or not params.action_guided:
        return guided
    guided = guided + (params.action_guidance - 1) * (conditional - others[-1])
    return guided.masked_fill(conditional == float("-inf"), float("-inf"))


def shape_logits(logits: Tensor, params: SamplingParams) -> Tensor:
    """Temperature, then top-k, then top-p; what is left out becomes -inf. `[..., V]`; temperature above 0."""
    logits = (logits - logits.amax(dim=-1, keepdim=True)) / params.temperature  # shifted, so that no division overflows upwards
    if params.top_k is not None and params.top_k < logits.shape[-1]:
        smallest = logits.topk(params.top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < smallest, float("-inf"))
    if params.top_p is not None and params.top_p < 1:
        ranked, order = logits.sort(dim=-1, descending=True, stable=True)
        shares = ranked.softmax(dim=-1)
        beyond = shares.cumsum(dim=-1) - shares >= params.top_p  # the first token is never left out
        logits = logits.masked_fill(beyond.gather(-1, order.argsort(dim=-1)), float("-inf"))
    return logits


class Chooser:
    """Chooses tokens by inverse transform: the token at which the cumulated probability passes a uniform number.

    A token in several factors uses the same number: what is left of it inside the chosen share is uniform again.

    Args:
        params: How to choose.
        uniforms: float64 `[R, S]` in [0, 1), one number per token.
        guides: What the rows of logits are; `None` if there is no guidance, or guidance on text alone.
    """

    def __init__(self, params: SamplingParams, uniforms: Tensor, guides: Guides | None = None):
        self.params, self.uniforms, self.guides = params, uniforms, guides

    def __call__(self, logits: Tensor) -> Tensor:
        """Logits `[R, S, V]`, or `[n R, S, V]` with n rows of guides -> int64 `[R, S]`."""
        logits = logits.double()
        if logits.shape[0] > self.uniforms.shape[0]:
            logits = guide_all(logits, self.params, self.guides or _TEXT)
        if self.params.temperature == 0:
            return logits.argmax(dim=-1)
        return self._invert(shape_logits(logits, self.params).softmax(dim=-1))

    def _invert(self, shares: Tensor) -> Tensor:
        reached = shares.cumsum(dim=-1)
        target = self.uniforms.unsqueeze(-1) * reached[..., -1:]
        chosen = torch.searchsorted(reached, target, right=True)
        last = (shares > 0).long().cumsum(dim=-1).argmax(dim=-1, keepdim=True)  # rounding must not choose beyond it
        chosen = torch.minimum(chosen, last)
        share = shares.gather(-1, chosen)
        rest = (target - reached.gather(-1, chosen) + share) / share
        self.uniforms = rest.squeeze(-1).clamp(0, 1 - 1e-12)
        return chosen.squeeze(-1)


class BatchChooser:
    """Chooses for several streams at once, each with its own noise; those with the same settings together.

    Args:
        params: How to choose, for each stream.
        uniforms: float64 `[R, S]` in [0, 1), one number per token of every stream.
        guides: As for `Chooser`.
    """

    def __init__(self, params: Sequence[SamplingParams], uniforms: Tensor, guides: Guides | None = None):
        self.groups: list[tuple[list[int], Chooser]] = []
        for kind in dict.fromkeys(params):
            rows = [row for row, own in enumerate(params) if own == kind]
            self.groups.append((rows, Chooser(kind, uniforms[rows], guides)))

    def __call__(self, logits: Tensor) -> Tensor:
        """Logits `[R, S, V]` of R streams, or `[n R, S, V]` with those of the guides behind them -> int64 `[R, S]`."""
        if len(self.groups) == 1:
            return self.groups[0][1](logits)
        num_streams = sum(len(rows) for rows, _ in self.groups)
        by_stream = logits.unflatten(0, (-1, num_streams))
        tokens = torch.empty(num_streams, logits.shape[1], dtype=torch.int64, device=logits.device)
        for rows, choose in self.groups:
            tokens[rows] = choose(by_stream[:, rows].flatten(0, 1))
        return tokens


def stream_uniforms(seed: int, latent_index: int, num_tokens: int) -> Tensor:
    """The uniform numbers of a latent frame: a pure function of (seed, latent frame), float64 `[num_tokens]` in [0, 1).

    A stream's noise therefore depends on nothing else: not on its batch, its block length or how often it was paused.
    """
    generator = torch.Generator().manual_seed(_mix(seed, latent_index))
    return torch.rand(num_tokens, generator=generator, dtype=torch.float64)


def _mix(seed: int, index: int) -> int:
    """One 63-bit number out of two (the finaliser of SplitMix64, Steele et al. 2014)."""
    mask = 2**64 - 1
    value = (seed * 0x9E3779B97F4A7C15 + index + 1) & mask
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = ((value ^ (value >> shift)) * factor) & mask
    return (value ^ (value >> 31)) >> 1
