"""Networks small enough for tests, with every parameter random: branches that start as zero would hide bugs."""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from framecast.model import ActionVectors, LMState, PromptMemory, VideoLM, VideoLMConfig
from framecast.tokenizer import FSQ, Quantizer, VideoTokenizer, VideoTokenizerConfig

PLAIN: dict[str, Any] = {"embedding_skip": False, "value_embeddings": False}
"""What makes a video LM one of those that were made before layers could look back at the inputs, as `changes` of `video_lm`."""
M = TypeVar("M", bound=nn.Module)

TOKENIZER = VideoTokenizerConfig(patch_size=2, channels=(8, 8, 8), num_blocks=(1, 1, 1), time_strides=(2, 2))
"""Temporal stride 4, spatial stride 8."""


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randomise(module: M, seed: int = 0) -> M:
    """Fills every parameter with random numbers that keep activations near one; sets eval mode."""
    generator = rng(seed)
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim > 1:
            parameter.data.copy_(noise if "table" in name else noise * parameter[0].numel() ** -0.5)  # keeps its memory layout
        else:
            parameter.data.copy_(0.3 * noise + (0.0 if name.endswith("bias") else 1.0))
    return module.eval()


def tokenizer(quantizer: Quantizer | None = None, config: VideoTokenizerConfig = TOKENIZER) -> VideoTokenizer:
    return randomise(VideoTokenizer(config, quantizer or FSQ((5, 5, 5))))


def video(num_frames: int, size: int = 16, batch_size: int = 2, seed: int = 0) -> Tensor:
    return torch.rand(batch_size, 3, num_frames, size, size, generator=rng(seed)) * 2 - 1


def lm_config(**changes: Any) -> VideoLMConfig:
    """Grouped queries, cross-attention and value embeddings in the first and third layer, one sink frame and a window of two."""
    settings: dict[str, Any] = {
        "codebook_size": 13,
        "frame_shape": (2, 3),
        "text_vocab_size": 11,
        "width": 32,
        "num_layers": 3,
        "num_heads": 4,
        "num_kv_heads": 2,
        "mlp_width": 24,
        "text_width": 8,
        "text_layers": 1,
        "max_prompt_length": 5,
        "sink_frames": 1,
        "context_frames": 2,
        "embedding_skip": True,
        "value_embeddings": True,
    }
    return VideoLMConfig(**{**settings, **changes})


def video_lm(**changes: Any) -> VideoLM:
    return randomise(VideoLM(lm_config(**changes)))


def tokens(lm: VideoLM, num_frames: int, batch_size: int = 2, seed: int = 0) -> Tensor:
    shape = (batch_size, num_frames, *lm.config.frame_shape)
    return torch.randint(lm.config.codebook_size, shape, generator=rng(seed))


def prompts(lm: VideoLM, batch_size: int = 2, seed: int = 0) -> PromptMemory:
    """One random prompt for each video; the lengths differ."""
    ids = torch.randint(lm.config.text_vocab_size, (batch_size, 1, 4), generator=rng(seed))
    lengths = 2 + torch.arange(batch_size) % 3
    return lm.encode_prompts(ids, torch.arange(4) < lengths[:, None, None])


WORLD: dict[str, Any] = {"num_actions": 3, "action_frames": 2}
"""What makes a video LM one of a world, as `changes` of `video_lm`."""
WORLDS: dict[str, dict[str, Any]] = {"none": {}, "add": WORLD, "film": {**WORLD, "action_conditioning": "film"}}
"""The same for every way to condition on actions, and for none."""


def raw_actions(num_frames: int, batch_size: int = 2, seed: int = 0, frames: int = 2) -> Tensor:
    """Random actions `[B, F, frames, 3]` of a `WORLD`, some of them unknown."""
    actions = torch.rand(batch_size, num_frames, frames, 3, generator=rng(seed)) * 2 - 1
    unknown = torch.rand(batch_size, num_frames, frames, 1, generator=rng(seed + 1)) < 0.25
    return actions.masked_fill(unknown, torch.nan)


def actions(lm: VideoLM, num_frames: int, batch_size: int = 2, seed: int = 0) -> ActionVectors | None:
    """Random actions for each latent frame of each video, if the model knows actions."""
    return lm.encode_actions(raw_actions(num_frames, batch_size, seed)) if lm.config.num_actions else None


def during(actions: ActionVectors | None, lm: VideoLM, state: LMState | None, num_tokens: int) -> ActionVectors | None:
    """Those of the latent frames that the next `num_tokens` inputs touch, of streams of one age."""
    if actions is None:
        return None
    start, done = (0, 0) if state is None else (int(state.frames[0]), state.filled)
    return actions.frames(slice(start, start - (-(done + num_tokens) // lm.frame_length)))
