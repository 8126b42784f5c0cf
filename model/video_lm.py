"""`VideoLM`: a causal transformer over video tokens that predicts the next block of them, conditioned on text."""

from dataclasses import dataclass
from math import isqrt
from typing import cast

import torch
from torch import Tensor, nn

from .blocks import block_ids, block_lengths, block_mask, check_block_length, check_chunk
from .cache import CacheShape, LayerCache, LMState, Piece, finish_frame, init_cache, plan_piece, replace_sink
from .layers import CrossAttention, RMSNorm, See, SelfAttention, SwiGLU
from .positions import frame_positions, rotary, rotate
from .text_encoder import PromptMemory, TextEncoder, timeline_mask
from .vocabulary import FactorisedVocabulary, FullVocabulary, Vocabulary


@dataclass(frozen=True, kw_only=True)
class VideoLMShape:
    """What one chooses of the video LM."""

    width: int = 256
    """Width E of the transformer."""
    num_layers: int = 6
    """Number of layers."""
    num_heads: int = 4
    """Query heads; the head width is `width / num_heads`."""
    num_kv_heads: int = 2
    """Key and value heads, shared by groups of query heads."""
    mlp_width: int = 640
    """Hidden width of the gated feed-forward layers."""
    cross_every: int = 2
    """Every how many layers attend to the prompt."""
    text_width: int = 128
    """Width of the text encoder."""
    text_layers: int = 2
    """Layers of the text encoder."""
    max_prompt_length: int = 48
    """Text ids of a prompt at most, with the end."""
    sink_frames: int = 1
    """First latent frames of a stream that are kept for ever."""
    context_frames: int = 7
    """Latest finished latent frames that are seen, beside the sink."""
    factorise_above: int = 4096
    """Vocabularies larger than this are predicted in two factors."""

    def __post_init__(self) -> None:
        others = ("sink_frames", "frame_shape", "codebook_base")
        sizes = {name: value for name, value in vars(self).items() if name not in others}
        small = [f"{name} {value}" for name, value in sizes.items() if value < 1]
        if small or self.sink_frames < 0:
            raise ValueError(f"got {', '.join(small) or f'sink_frames {self.sink_frames}'}; wanted sizes of at least 1 (sink: 0)")
        if self.width % self.num_heads or self.num_heads % self.num_kv_heads or self.width // self.num_heads % 2:
            raise ValueError(
                f"got width {self.width}, num_heads {self.num_heads}, num_kv_heads {self.num_kv_heads}; wanted num_heads to "
                "divide width into even parts and num_kv_heads to divide num_heads"
            )

    @property
    def max_parallel_frames(self) -> int:
        """Latent frames of which each sees all before it: the longest clip to train on."""
        return self.sink_frames + self.context_frames + 1


@dataclass(frozen=True, kw_only=True)
class VideoLMConfig(VideoLMShape):
    """Shape of the video LM: what one chooses, and what its tokenizers and videos dictate."""

    codebook_size: int
    """Number of video tokens V; read from the tokenizer."""
    frame_shape: tuple[int, int]
    """Rows and columns of tokens in a latent frame; read from the tokenizer and the size of the video."""
    text_vocab_size: int
    """Number of text ids; read from the text tokenizer."""
    codebook_base: int | None = None
    """Where tokens are cut in two factors; read from the tokenizer. None becomes the square root of their number, or stays if
    they are not cut at all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "frame_shape", tuple(self.frame_shape))
        if self.codebook_size <= self.factorise_above:
            object.__setattr__(self, "codebook_base", None)
        elif self.codebook_base is None:
            object.__setattr__(self, "codebook_base", isqrt(self.codebook_size - 1) + 1)
        elif not 1 <= self.codebook_base <= self.codebook_size:
            raise ValueError(f"got codebook_base {self.codebook_base}; wanted 1 to {self.codebook_size}, the tokens there are")
        if min(self.frame_shape) < 1:
            raise ValueError(f"got frame_shape {self.frame_shape}; wanted at least one row and one column of tokens")

    @property
    def cache_shape(self) -> CacheShape:
        """Sizes of the cache that this context needs."""
        return CacheShape(self.frame_shape, self.sink_frames, self.context_frames)


@dataclass(frozen=True)
class LMOutput:
    """`hidden` `[B, S, E]`: hidden[:, i] predicts the token at position i; no shift."""

    hidden: Tensor


class Layer(nn.Module):
    """Self-attention, in some layers cross-attention to the prompt, and a gated feed-forward layer; pre-normed, residual."""

    def __init__(self, config: VideoLMConfig, cross: bool):
        super().__init__()
        heads = (config.width, config.num_heads, config.num_kv_heads)
        self.attention_norm, self.attention = RMSNorm(config.width), SelfAttention(*heads)
        self.cross_norm = RMSNorm(config.width) if cross else None
        self.cross = CrossAttention(*heads) if cross else None
        self.mlp_norm, self.mlp = RMSNorm(config.width), SwiGLU(config.width, config.mlp_width)

    def forward(self, x: Tensor, see: See, mask: Tensor | None, prompt: tuple[Tensor, Tensor, Tensor] | None) -> Tensor:
        """`prompt` is keys, values and mask, for a layer that attends to it."""
        x = x + self.attention(self.attention_norm(x), see, mask)
        if self.cross is not None:
            assert prompt is not None and self.cross_norm is not None
            x = x + self.cross(self.cross_norm(x), *prompt)
        y: Tensor = x + self.mlp(self.mlp_norm(x))
        return y


class Layers(nn.ModuleList):
    """All layers, one after the other."""

    def forward(
        self, x: Tensor, see: list[See], mask: Tensor | None, prompt_keys: Tensor, prompt_values: Tensor, prompt_mask: Tensor
    ) -> Tensor:
        """One `see` for each layer; keys and values of the prompt `[B, layers, N_kv, L, D]` for those that attend to it."""
        place = 0
        for layer, own in zip(self, see, strict=True):
            prompt = None
            if layer.cross is not None:
                prompt = (prompt_keys[:, place], prompt_values[:, place], prompt_mask)
                place += 1
            x = layer(x, own, mask, prompt)
        return x


class VideoLM(nn.Module):
    """Predicts video tokens from the tokens before them and a prompt; only computes, never samples.

    The context of a token is the prompt, the first `sink_frames` latent frames, the latest `context_frames` finished ones, and
    what its block may see of its own frame. Positions are rotary angles over (t, h, w); a stream has no end.

    Args:
        config: Shape of the network.
    """

    def __init__(self, config: VideoLMConfig):
        super().__init__()
        self.config = config
        if config.codebook_base is not None:
            self.vocabulary: Vocabulary = FactorisedVocabulary(config.codebook_size, config.width, config.codebook_base)
        else:
            self.vocabulary = FullVocabulary(config.codebook_size, config.width)
        self.kinds = nn.Embedding(len(block_lengths(config.frame_shape)), config.width)
        self.places = nn.Embedding(config.frame_shape[0] * config.frame_shape[1], config.width)
        self.text_encoder = TextEncoder(
            config.text_vocab_size, config.text_width, config.text_layers, config.max_prompt_length, config.width
        )
        self.layers = Layers(Layer(config, cross=index % config.cross_every == 0) for index in range(config.num_layers))
        self.norm = RMSNorm(config.width)
        self.apply(_init_embedding)

    @property
    def start_id(self) -> int:
        """The input if there is no earlier token."""
        return self.config.codebook_size

    @property
    def head_dim(self) -> int:
        """Width D of a head."""
        return self.config.width // self.config.num_heads

    @property
    def frame_length(self) -> int:
        """Tokens of a latent frame."""
        return self.places.num_embeddings

    def init_state(self, batch_size: int, fill: float = 0.0) -> LMState:
        """The state before the first token of `batch_size` streams; `fill` is what unwritten places hold."""
        config = self.config
        return init_cache(
            config.cache_shape, batch_size, config.num_layers, config.num_kv_heads, self.head_dim, self.places.weight, fill
        )

    def encode_prompts(self, ids: Tensor, real: Tensor, starts: Tensor | None = None, num_frames: int = 1) -> PromptMemory:
        """Encodes prompts once, for all tokens they condition.

        Args:
            ids: int64 `[B, P, L]`, P prompts for each video.
            real: bool `[B, P, L]`, false for padding.
            starts: int64 `[B, P]`, the latent frame from which each prompt holds; `None` if P is 1.
            num_frames: Latent frames of the video; 1 if one prompt holds throughout.
        """
        if ids.shape[2] > self.config.max_prompt_length:
            raise ValueError(
                f"got prompts of {ids.shape[2]} text ids; wanted at most {self.config.max_prompt_length}, this model's "
                "max_prompt_length; shorten them"
            )
        batch, prompts = ids.shape[:2]
        text = self.text_encoder(ids.flatten(0, 1), real.flatten(0, 1)).unflatten(0, (batch, prompts)).flatten(1, 2)
        crosses = [layer.cross for layer in cast(list[Layer], self.layers)]  # a ModuleList does not say what it holds
        projected = [cross.project(text) for cross in crosses if cross is not None]
        starts = ids.new_zeros(batch, 1) if starts is None else starts
        return PromptMemory(
            keys=torch.stack([keys for keys, _ in projected], dim=1),
            values=torch.stack([values for _, values in projected], dim=1),
            mask=timeline_mask(starts, real, num_frames),
        )

    def forward(
        self, inputs: Tensor, prompts: PromptMemory, block_length: int, state: LMState | None = None, hold: bool = False
    ) -> LMOutput:
        """Hidden vectors that predict tokens, from inputs shifted by `shift_tokens`.

        Args:
            inputs: int64 `[B, S]`, the tokens `block_length` before (in the first latent frame: one before) each position.
            prompts: What conditions them.
            block_length: 1, some whole rows that divide a frame, or a frame. A chunk may end where a block ends, and anywhere in
                the first latent frame.
            state: Where the streams stand; updated. `None` starts new ones.
            hold: Whether a latent frame that these tokens complete stays in the making, so that `rewind` can take it back; then
                `finish` is what comes before the next latent frame.

        Raises:
            ValueError: The block length is not legal here, or the chunk cuts a block.
        """
        check_block_length(block_length, self.config.frame_shape)
        done, first = (0, True) if state is None else (state.filled, not state.frames.any())
        check_chunk(inputs.shape[1], done, first, self.frame_length, block_length)
        if state is None and inputs.shape[1] <= self.config.max_parallel_frames * self.frame_length:
            return self._forward_parallel(inputs, prompts, block_length)
        state = state or self.init_state(inputs.shape[0])
        hidden = []
        while inputs.shape[1]:
            length = min(inputs.shape[1], self.frame_length - state.filled)
            hidden.append(self._forward_piece(inputs[:, :length], prompts, block_length, state))
            inputs = inputs[:, length:]
            if state.filled == self.frame_length and not (hold and not inputs.shape[1]):
                self.finish(state)
        return LMOutput(torch.cat(hidden, dim=1))

    def rewind(self, state: LMState, filled: int) -> None:
        """Takes back the tokens of the latent frame in the making but for the first `filled`."""
        assert 0 <= filled <= state.filled, (filled, state.filled)
        state.filled = filled

    def finish(self, state: LMState) -> None:
        """Moves a complete latent frame that was held into the past."""
        assert state.filled == self.frame_length, state.filled
        finish_frame(state, self.config.cache_shape, self.head_dim)

    def replace_sink(self, state: LMState, other: LMState) -> None:
        """Lets streams whose window has rolled on remember another first latent frame: the only one that `other` has made.

        Raises:
            ValueError: A window has not rolled on, `other` is not after its first latent frame, or there is no sink.
        """
        config = self.config
        rolled = bool((state.frames >= config.cache_shape.past_frames).all())
        if not config.sink_frames or state.filled or other.filled or not rolled or not bool((other.frames == 1).all()):
            raise ValueError(
                f"got streams of {state.frames.tolist()} latent frames and {other.frames.tolist()} to renew the sink by; wanted "
                f"at least {config.cache_shape.past_frames} and 1, between latent frames, of a model with a sink"
            )
        replace_sink(state, other, config.cache_shape, self.head_dim)

    def _forward_parallel(self, inputs: Tensor, prompts: PromptMemory, block_length: int) -> LMOutput:
        """All positions at once: what a fresh state would give, for a video within the context, and with gradients."""
        device, length, frame = inputs.device, inputs.shape[1], self.frame_length
        num_frames = -(-length // frame)
        blocks = block_ids(length, 0, frame, block_length, device)
        places = frame_positions(torch.arange(num_frames, device=device), *self.config.frame_shape)[:length]
        angles = rotary(places, self.head_dim)
        mask = block_mask(blocks, blocks)

        def see(queries: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return rotate(queries, angles), rotate(keys, angles), values

        prompt_mask = prompts.frame_mask(torch.arange(num_frames, device=device)[None])
        if prompt_mask.shape[1] > 1:
            prompt_mask = prompt_mask.repeat_interleave(frame, dim=1)[:, :length]
        x = self._embed(inputs, 0, torch.arange(length, device=device) < frame, block_length)
        sees = [see] * len(self.layers)
        return LMOutput(self.norm(self.layers(x, sees, mask, prompts.keys, prompts.values, prompt_mask[:, None])))

    def _forward_piece(self, inputs: Tensor, prompts: PromptMemory, block_length: int, state: LMState) -> Tensor:
        """The next tokens of the frame in the making."""
        config, length = self.config, inputs.shape[1]
        first = (state.frames == 0)[:, None].expand(-1, length)
        blocks = (torch.arange(length) + state.filled) // torch.where(first, 1, block_length)
        piece = plan_piece(state, config.cache_shape, blocks, self.head_dim)
        prompt_mask = prompts.frame_mask(state.frames[:, None])[:, None]
        x = self._embed(inputs, state.filled, first.to(inputs.device), block_length)
        see = [_through_cache(piece, cache) for cache in state.layers]
        layers = self.layers.forward if piece.sink_rows else self.layers  # what is rare is not worth compiling apart
        x = layers(x, see, piece.mask, prompts.keys, prompts.values, prompt_mask)
        state.filled += length
        hidden: Tensor = self.norm(x)
        return hidden

    def _embed(self, inputs: Tensor, offset: int, first: Tensor, block_length: int) -> Tensor:
        """Vectors of the inputs, their places in the frame and how far they were shifted."""
        places = (torch.arange(inputs.shape[1], device=inputs.device) + offset) % self.frame_length
        kinds = torch.where(first, 0, block_lengths(self.config.frame_shape).index(block_length))
        embedded: Tensor = self.vocabulary.embed(inputs) + self.places(places) + self.kinds(kinds)
        return embedded


def _through_cache(piece: Piece, cache: LayerCache) -> See:
    def see(queries: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return rotate(queries.to(cache.keys.dtype), piece.angles), *piece.extend(cache, keys.to(cache.keys.dtype), values)

    return see


def _init_embedding(module: nn.Module) -> None:
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.5)
