"""The layers of the video LM, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .action_encoder import film, spread
from .config import VideoLMConfig
from .layers import CrossAttention, RMSNorm, See, SelfAttention, SwiGLU


@dataclass(frozen=True)
class Embedded:
    """The inputs, for all layers to look back at: `tokens` int64 `[B, S]`; `vectors` `[B, S, E]`, that enter the first layer."""

    tokens: Tensor
    vectors: Tensor


class Layer(nn.Module):
    """Self-attention, in some layers cross-attention to the prompt, and a gated feed-forward layer; pre-normed, residual.

    Args:
        config: Shape of the network.
        index: Number of the layer, from 0.
    """

    def __init__(self, config: VideoLMConfig, index: int):
        super().__init__()
        heads = (config.width, config.num_heads, config.num_kv_heads)
        cross = index % config.cross_every == 0
        num_inputs = config.codebook_size + 1 if config.value_embeddings and index % 2 == 0 else None
        self.attention_norm, self.attention = RMSNorm(config.width), SelfAttention(*heads, num_inputs)
        self.cross_norm = RMSNorm(config.width) if cross else None
        self.cross = CrossAttention(*heads) if cross else None
        self.mlp_norm, self.mlp = RMSNorm(config.width), SwiGLU(config.width, config.mlp_width)
        self.skip = nn.Parameter(torch.tensor([1.0, 0.0])) if config.embedding_skip else None

    def forward(
        self,
        x: Tensor,
        embedded: Embedded,
        see: See,
        mask: Tensor | None,
        prompt: tuple[Tensor, Tensor, Tensor] | None,
        films: Tensor | None = None,
    ) -> Tensor:
        """`prompt` is keys, values and mask, for a layer that attends to it; `films` `[B, S or 1, 4, E]` are of actions."""
        if self.skip is not None:
            kept, again = self.skip.to(x.dtype)
            x = kept * x + again * embedded.vectors
        x = x + self.attention(film(self.attention_norm(x), films, 0), see, mask, embedded.tokens)
        if self.cross is not None:
            assert prompt is not None and self.cross_norm is not None
            x = x + self.cross(self.cross_norm(x), *prompt)
        y: Tensor = x + self.mlp(film(self.mlp_norm(x), films, 1))
        return y


class Layers(nn.ModuleList):
    """All layers, one after the other."""

    activation_checkpointing: bool = False
    """Whether only the inputs of layers are kept for the backward pass, and the rest is computed again (Chen et al. 2016)."""

    def forward(
        self,
        x: Tensor,
        inputs: Tensor,
        see: list[See],
        mask: Tensor | None,
        prompt_keys: Tensor,
        prompt_values: Tensor,
        prompt_mask: Tensor,
        films: Tensor | None = None,
        frame_length: int = 1,
    ) -> Tensor:
        """Vectors `x` of the tokens `inputs` `[B, S]`; one `see` for each layer.

        Keys and values of the prompt `[B, layers, N_kv, L, D]` are for those layers that attend to it.

        `films` `[B, F, layers, 4, E]` are of the actions of the latent frames, of `frame_length` tokens each.
        """
        place, embedded = 0, Embedded(inputs, x)
        for index, (layer, own) in enumerate(zip(self, see, strict=True)):
            prompt = None
            if layer.cross is not None:
                prompt = (prompt_keys[:, place], prompt_values[:, place], prompt_mask)
                place += 1
            scales = None if films is None else spread(films[:, :, index], x.shape[1], frame_length)
            x = self._run(layer)(x, embedded, own, mask, prompt, scales)
        return x

    def _run(self, layer: nn.Module) -> Callable[..., Tensor]:
        """A layer, or one whose activations are computed again; nothing in a layer is random."""
        if not (self.activation_checkpointing and torch.is_grad_enabled()):
            return layer
        return partial(checkpoint, layer, use_reentrant=False, preserve_rng_state=False)
