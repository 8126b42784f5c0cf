"""The quantizers whose codebooks are learned, each a thin sibling over vector-quantize-pytorch behind the interface `Quantizer`.

A residual quantizer has one index per level and place; they are joined into one token, the first level as its lowest digit.
"""

from typing import Any

import torch
import vector_quantize_pytorch as vq
from torch import Tensor, nn
from vector_quantize_pytorch.vector_quantize_pytorch import Codebook, sample_vectors_distributed

from .quantizer import Quantizer, check, join_digits, split_digits


class LFQ(Quantizer):
    """Lookup-free quantization (MAGVIT-v2, Yu et al. 2023): the signs of the latent are the bits of the token.

    Args:
        num_bits: Width of the latent; the codebook has `2 ** num_bits` tokens.
        entropy_weight: Weight of the loss that makes single choices sure and their average uniform.
        commitment_weight: Weight of the loss that pulls latents to +-1.
    """

    has_levels = True

    def __init__(self, num_bits: int = 10, entropy_weight: float = 0.02, commitment_weight: float = 0.1):
        check(1 <= num_bits <= 18, f"num_bits {num_bits}", "1 to 18; the entropy loss looks at every code")
        options = {"num_bits": num_bits, "entropy_weight": entropy_weight, "commitment_weight": commitment_weight}
        super().__init__(num_bits, (2,) * num_bits, options)
        self.codes = vq.LFQ(
            dim=num_bits,
            codebook_size=2**num_bits,
            entropy_loss_weight=entropy_weight,
            commitment_loss_weight=commitment_weight,
        )

    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return tuple(self.codes(latents))

    def _lookup(self, tokens: Tensor) -> Tensor:
        latents: Tensor = self.codes.indices_to_codes(tokens)
        return latents

    def _invert(self, latents: Tensor) -> Tensor:
        bits = (latents > 0).long()
        tokens: Tensor = (bits * self.codes.mask).sum(dim=-1)
        return tokens


class VQ(Quantizer):
    """Vector quantization (van den Oord et al. 2017) with an EMA codebook, cosine distance and revival of dead codes.

    Args:
        codebook_size: Number of vectors in the codebook.
        dim: Width of the vectors.
        decay: How much of a code is kept at each update of its moving average.
        commitment_weight: Weight of the loss that pulls latents to their codes.
        revive_below: A code seen fewer times than this per batch, on average, is replaced by a latent of the batch. Keep it well
            below the tokens of a batch for each code, or codes that are in use are replaced all the time.
        cosine: Compare directions only (ViT-VQGAN, Yu et al. 2021) instead of euclidean distances.
    """

    def __init__(
        self,
        codebook_size: int = 1024,
        dim: int = 8,
        decay: float = 0.99,
        commitment_weight: float = 0.25,
        revive_below: float = 0.2,
        cosine: bool = True,
    ):
        check(codebook_size >= 2 and dim >= 1, f"codebook_size {codebook_size}, dim {dim}", "at least 2 and 1")
        options = {
            "codebook_size": codebook_size,
            "dim": dim,
            "decay": decay,
            "commitment_weight": commitment_weight,
            "revive_below": revive_below,
            "cosine": cosine,
        }
        super().__init__(dim, (codebook_size,), options)
        self.codes = vq.VectorQuantize(
            dim=dim,
            codebook_size=codebook_size,
            decay=decay,
            commitment_weight=commitment_weight,
            threshold_ema_dead_code=revive_below,
            use_cosine_sim=cosine,
            kmeans_init=True,
        )

    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        quantized, tokens, loss = self.codes(latents)
        return quantized, tokens, loss.sum()

    def _lookup(self, tokens: Tensor) -> Tensor:
        latents: Tensor = self.codes.get_output_from_indices(tokens)
        return latents

    def _invert(self, latents: Tensor) -> Tensor:
        return _nearest(latents, self.codes.codebook)


class SimVQ(Quantizer):
    """SimVQ (Zhu et al. 2024): a frozen codebook seen through one learned linear map, so that no code can die alone.

    Args:
        codebook_size: Number of vectors in the codebook.
        dim: Width of the vectors.
        commitment_weight: Weight of the loss between latents and codes.
    """

    def __init__(self, codebook_size: int = 1024, dim: int = 8, commitment_weight: float = 1.0):
        check(codebook_size >= 2 and dim >= 1, f"codebook_size {codebook_size}, dim {dim}", "at least 2 and 1")
        options = {"codebook_size": codebook_size, "dim": dim, "commitment_weight": commitment_weight}
        super().__init__(dim, (codebook_size,), options)
        self.codes = vq.SimVQ(dim=dim, codebook_size=codebook_size, commitment_weight=commitment_weight)

    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        output: tuple[Tensor, Tensor, Tensor] = self.codes(latents)
        return output

    def _lookup(self, tokens: Tensor) -> Tensor:
        latents: Tensor = self.codes.indices_to_codes(tokens)
        return latents

    def _invert(self, latents: Tensor) -> Tensor:
        return _nearest(latents, self.codes.codebook)


class ResidualFSQ(Quantizer):
    """FSQ in rounds, each on what the last one left over, at finer and finer scales.

    Args:
        levels: Levels of each number, in every round.
        num_quantizers: Rounds; the codebook has `prod(levels) ** num_quantizers` tokens.
    """

    def __init__(self, levels: tuple[int, ...] = (5, 5, 5), num_quantizers: int = 2):
        check(min(levels, default=0) >= 2, f"levels {tuple(levels)}", "one or more numbers of at least 2")
        check(num_quantizers >= 1, f"num_quantizers {num_quantizers}", "at least 1")
        options = {"levels": tuple(levels), "num_quantizers": num_quantizers}
        super().__init__(len(levels), tuple(levels) * num_quantizers, options)
        self.codes = vq.ResidualFSQ(levels=list(levels), num_quantizers=num_quantizers)

    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        quantized, digits = self.codes(latents)
        return quantized, join_digits(digits, self.codes.codebook_size), latents.new_zeros(())

    def _lookup(self, tokens: Tensor) -> Tensor:
        digits = split_digits(tokens, self.codes.codebook_size, self.codes.num_quantizers)
        latents: Tensor = self.codes.get_output_from_indices(digits)
        return latents

    def _invert(self, latents: Tensor) -> Tensor:
        digits = []
        for layer, scale in zip(self.codes.layers, self.codes.scales, strict=True):
            codes, index = layer(latents / scale)  # the levels nest, so the nearest is the one that was added
            digits.append(index)
            latents = latents - codes * scale
        return join_digits(torch.stack(digits, dim=-1), self.codes.codebook_size)


class _ResidualCodebooks(Quantizer):
    """What the residual quantizers with codebooks share: one index a round, joined into one token. Subclasses set `codes`."""

    codes: vq.ResidualVQ | vq.ResidualSimVQ

    def __init__(self, codebook_size_per_level: int, num_quantizers: int, dim: int, options: dict[str, Any]):
        check(codebook_size_per_level >= 2, f"codebook_size_per_level {codebook_size_per_level}", "at least 2")
        check(num_quantizers >= 1 and dim >= 1, f"num_quantizers {num_quantizers}, dim {dim}", "at least 1 each")
        super().__init__(dim, (codebook_size_per_level,) * num_quantizers, options)
        self.base, self.num_rounds = codebook_size_per_level, num_quantizers

    def _quantize(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        quantized, digits, loss = self.codes(latents)
        return quantized, join_digits(digits, self.base), loss.sum()

    def _lookup(self, tokens: Tensor) -> Tensor:
        latents: Tensor = self.codes.get_output_from_indices(split_digits(tokens, self.base, self.num_rounds))
        return latents

    def _invert(self, latents: Tensor) -> Tensor:
        return join_digits(_search_sum(latents, self.codes.codebooks), self.base)


class ResidualVQ(_ResidualCodebooks):
    """Vector quantization in rounds (SoundStream, Zeghidour et al. 2021), each on what the last one left over.

    Args:
        codebook_size_per_level: Number of vectors in the codebook of each round.
        num_quantizers: Rounds; there are `codebook_size_per_level ** num_quantizers` tokens.
        dim: Width of the vectors.
        decay: How much of a code is kept at each update of its moving average.
        commitment_weight: Weight of the loss that pulls latents to their codes.
        revive_below: A code seen fewer times than this per batch, on average, is replaced by a latent of the batch.
    """

    def __init__(
        self,
        codebook_size_per_level: int = 256,
        num_quantizers: int = 2,
        dim: int = 8,
        decay: float = 0.99,
        commitment_weight: float = 0.25,
        revive_below: float = 2.0,
    ):
        options = {
            "codebook_size_per_level": codebook_size_per_level,
            "num_quantizers": num_quantizers,
            "dim": dim,
            "decay": decay,
            "commitment_weight": commitment_weight,
            "revive_below": revive_below,
        }
        super().__init__(codebook_size_per_level, num_quantizers, dim, options)
        self.codes = vq.ResidualVQ(
            dim=dim,
            codebook_size=codebook_size_per_level,
            num_quantizers=num_quantizers,
            decay=decay,
            commitment_weight=commitment_weight,
            threshold_ema_dead_code=revive_below,
            kmeans_init=True,
        )


class ResidualSimVQ(_ResidualCodebooks):
    """SimVQ in rounds, each on what the last one left over.

    Args:
        codebook_size_per_level: Number of vectors in the codebook of each round.
        num_quantizers: Rounds; there are `codebook_size_per_level ** num_quantizers` tokens.
        dim: Width of the vectors.
    """

    def __init__(self, codebook_size_per_level: int = 256, num_quantizers: int = 2, dim: int = 8):
        options = {
            "codebook_size_per_level": codebook_size_per_level,
            "num_quantizers": num_quantizers,
            "dim": dim,
        }
        super().__init__(codebook_size_per_level, num_quantizers, dim, options)
        self.codes = vq.ResidualSimVQ(dim=dim, codebook_size=codebook_size_per_level, num_quantizers=num_quantizers)


def share_codebooks(quantizer: nn.Module) -> None:
    """From now on the codebooks follow what all processes of a distributed training see, and all revive the same codes.

    To be called in every process, once `torch.distributed` is set up. A quantizer without codebooks has nothing to share.
    """
    for codebook in quantizer.modules():
        if isinstance(codebook, Codebook):
            codebook.use_ddp = True
            codebook.all_reduce_fn = codebook.kmeans_all_reduce_fn = torch.distributed.all_reduce
            codebook.sample_fn = codebook.replace_sample_fn = sample_vectors_distributed


def _nearest(latents: Tensor, codebook: Tensor) -> Tensor:
    """`[B, N, D]`, `[V, D]` -> index of the nearest code `[B, N]`."""
    return torch.cdist(latents, codebook.expand(latents.shape[0], -1, -1)).argmin(dim=-1)


def _search_sum(latents: Tensor, codebooks: Tensor) -> Tensor:
    """Which codes add up to the latents: `[B, N, D]`, `[Q, V, D]` -> `[B, N, Q]`.

    A beam of V: exact for two rounds. Choosing the nearest code in each round, as encoding does, is not an inverse: the sum may
    lie nearer to another first code.
    """
    num_codes = codebooks.shape[1]
    left, chosen = latents.unsqueeze(2), latents.new_zeros(*latents.shape[:2], 1, 0, dtype=torch.int64)
    for codebook in codebooks:
        rest = left.unsqueeze(3) - codebook  # [B, N, beam, V, D]
        errors = rest.square().sum(dim=-1).flatten(2)
        best = errors.topk(min(num_codes, errors.shape[-1]), largest=False).indices
        beams, index = best // num_codes, best % num_codes
        chosen = torch.cat([chosen.gather(2, beams.unsqueeze(-1).expand(-1, -1, -1, chosen.shape[-1])), index.unsqueeze(-1)], -1)
        left = rest.flatten(2, 3).gather(2, best.unsqueeze(-1).expand(-1, -1, -1, rest.shape[-1]))
    winner = left.square().sum(dim=-1).argmin(dim=-1)[..., None, None]
    return chosen.gather(2, winner.expand(-1, -1, 1, chosen.shape[-1])).squeeze(2)
