"""What a step of a split training takes of the memory of each GPU: arithmetic that is known before anything is built."""

from dataclasses import dataclass

import torch
from torch import nn

from ...model import VideoLM, VideoLMConfig
from .placing import on_meta
from .tensors import rows_of

_FLOAT32, _BFLOAT16 = 4, 2


@dataclass(frozen=True)
class Load:
    """What each process computes in a step, in bf16-mixed and with activation checkpointing.

    Attributes:
        processes: Over how many the weights are split.
        clips: Clips of a batch, of one process.
        num_frames: Latent frames of a clip.
    """

    processes: int
    clips: int
    num_frames: int


def memory_budget(config: VideoLMConfig, load: Load) -> dict[str, int]:
    """Bytes of each GPU by what they are for, without the room that torch and CUDA take for themselves.

    Args:
        config: The network.
        load: What is computed with it.
    """
    network = on_meta(config)
    share = rows_in_process_0(network, load.processes)
    around = _size(network) - sum(_size(layer) for layer in network.layers)
    largest = max(_size(layer) for layer in network.layers)
    tokens = load.clips * load.num_frames * network.frame_length
    return {
        "weights": _FLOAT32 * share,
        "gradients": _FLOAT32 * share,
        "two means of AdamW": 2 * _FLOAT32 * share,
        "average (EMA)": _FLOAT32 * share,
        "around the layers, whole, with gradients": 2 * _FLOAT32 * around,
        "layers that are gathered": (3 * _BFLOAT16 + _BFLOAT16 + _FLOAT32) * largest,
        "inputs of the layers": _FLOAT32 * config.num_layers * tokens * config.width,
        "one layer, computed again": layer_bytes(config) * tokens * 3 // 2,
        "predictions": 12 * tokens * num_logits(network),
    }


def layer_bytes(config: VideoLMConfig) -> int:
    """What a layer with cross-attention keeps for its backward pass, in bytes for each token; attention keeps no scores.

    Norms compute in float32 and keep input and output, and products keep their inputs in bfloat16.
    """
    keys_and_values = config.width * config.num_kv_heads // config.num_heads
    attention, cross, feed_forward = 36 * config.width + 14 * keys_and_values, 24 * config.width, 8 * config.mlp_width
    return attention + cross + feed_forward


def rows_in_process_0(network: nn.Module, processes: int) -> int:
    """How many numbers of the weights the first process holds; no other one holds more."""
    return sum(p[rows_of(p.shape[0], 0, processes)].numel() for p in network.parameters())


def num_logits(network: VideoLM) -> int:
    """How many logits a token has, of all factors."""
    hidden = torch.empty(1, 1, network.config.width, device="meta")
    factors = network.vocabulary.factors(hidden, torch.empty(1, 1, dtype=torch.int64, device="meta"))
    return sum(logits.shape[-1] for logits, _ in factors)


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
