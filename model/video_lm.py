"""`VideoLM`: a causal transformer over video tokens that predicts the next block of them, conditioned on text and actions."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from .action_encoder import ActionVectors, action_encoder, spread
from .blocks import block_ids, block_lengths, block_mask, check_block_length, check_chunk
from .cache import LayerCache, LMState, Piece, finish_frame, init_cache, plan_piece, replace_sink
from .config import VideoLMConfig
from .layers import RMSNorm, See
from .outcome import Outcome, OutcomeHeads
from .positions import frame_positions, rotary, rotate
from .text_encoder import PromptMemory, TextEncoder, timeline_mask
from .transformer import Layer, Layers
from .vocabulary import FactorisedVocabulary, FullVocabulary, Vocabulary

_NO_ACTIONS = (
    "got actions for a video LM that knows none; wanted none, or a model of a world: one whose clips had actions in training"
)


@dataclass(frozen=True)
class LMOutput:
    """`hidden` `[B, S, E]`: hidden[:, i] predicts the token at position i; no shift."""

    hidden: Tensor


class VideoLM(nn.Module):
    """Predicts video tokens from the tokens before them, a prompt and actions; only computes, never samples.

    The context of a token is the prompt, what is done during its latent frame, the first `sink_frames` latent frames, the
    latest `context_frames` finished ones, and what its block may see of its own frame. Positions are rotary angles over
    (t, h, w); a stream has no end.

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
        self.layers = Layers(Layer(config, index) for index in range(config.num_layers))
        self.norm = RMSNorm(config.width)
        self.apply(_init_embedding)
        self.action_encoder = action_encoder(config)
        heads = config.rewards or config.ends
        self.heads = OutcomeHeads(config.width, config.rewards, config.ends) if heads else None

    @property
    def start_id(self) -> int:
        """The input if there is no earlier token."""
        return self.config.codebook_size

    @property
    def hidden_layers(self) -> list[nn.Linear]:
        """The maps from hidden vectors to hidden vectors, of this and of the text encoder."""
        parts = [*self.layers.modules(), *self.text_encoder.layers.modules()]
        return [part for part in parts if isinstance(part, nn.Linear)]

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

    def encode_actions(self, actions: Tensor) -> ActionVectors:
        """Encodes actions once, for all tokens they condition.

        Args:
            actions: float `[B, F, action_frames, num_actions]`, what is done during the frames of F latent frames; NaN is
                unknown.

        Raises:
            ValueError: The model knows no actions, or others.
        """
        if self.action_encoder is None:
            raise ValueError(_NO_ACTIONS)
        encoded: ActionVectors = self.action_encoder(actions)
        return encoded

    def outcome(self, hidden: Tensor) -> Outcome:
        """Reward and end of latent frames, from their last hidden vectors.

        Args:
            hidden: `[B, E]`, as `forward` gave it at the last position of each latent frame.

        Raises:
            ValueError: The model predicts neither.
        """
        if self.heads is None:
            raise ValueError(
                "got a video LM that predicts neither rewards nor ends; wanted one that was trained with `lm.rewards` or "
                "`lm.ends`"
            )
        outcome: Outcome = self.heads(hidden)
        return outcome

    def forward(
        self,
        inputs: Tensor,
        prompts: PromptMemory,
        block_length: int,
        state: LMState | None = None,
        hold: bool = False,
        actions: ActionVectors | None = None,
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
            actions: Of the latent frames that the inputs touch, the first of them the one in the making; `None` is unknown.

        Raises:
            ValueError: The block length is not legal here, the chunk cuts a block, or the actions are not those of the inputs.
        """
        check_block_length(block_length, self.config.frame_shape)
        done, first = (0, True) if state is None else (state.filled, not state.frames.any())
        check_chunk(inputs.shape[1], done, first, self.frame_length, block_length)
        actions = self._actions_of(inputs, done, actions)
        if state is None and inputs.shape[1] <= self.config.max_parallel_frames * self.frame_length:
            return self._forward_parallel(inputs, prompts, block_length, actions)
        state = state or self.init_state(inputs.shape[0])
        hidden: list[Tensor] = []
        while inputs.shape[1]:
            length = min(inputs.shape[1], self.frame_length - state.filled)
            own = None if actions is None else actions.frame(len(hidden))
            hidden.append(self._forward_piece(inputs[:, :length], prompts, block_length, state, own))
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

    def _actions_of(self, inputs: Tensor, done: int, actions: ActionVectors | None) -> ActionVectors | None:
        """The actions of inputs that follow `done` tokens of their latent frame, in one row and frame if all are unknown."""
        if self.action_encoder is None:
            if actions is not None:
                raise ValueError(_NO_ACTIONS)
            return None
        if actions is None:
            return self.action_encoder.nothing_known()
        rows, frames = inputs.shape[0], -(-(done + inputs.shape[1]) // self.frame_length)
        if (actions.num_rows, actions.num_frames) != (rows, frames):
            raise ValueError(
                f"got actions of {actions.num_frames} latent frames of {actions.num_rows} videos; wanted {frames} of {rows}: "
                "those that the inputs touch, the first of them the one in the making"
            )
        return actions

    def _forward_parallel(
        self, inputs: Tensor, prompts: PromptMemory, block_length: int, actions: ActionVectors | None
    ) -> LMOutput:
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
        x = self._embed(inputs, 0, torch.arange(length, device=device) < frame, block_length, actions)
        sees, films = [see] * len(self.layers), None if actions is None else actions.films
        x = self.layers(x, inputs, sees, mask, prompts.keys, prompts.values, prompt_mask[:, None], films, frame)
        return LMOutput(self.norm(x))

    def _forward_piece(
        self, inputs: Tensor, prompts: PromptMemory, block_length: int, state: LMState, actions: ActionVectors | None
    ) -> Tensor:
        """The next tokens of the frame in the making."""
        config, length = self.config, inputs.shape[1]
        first = (state.frames == 0)[:, None].expand(-1, length)
        blocks = (torch.arange(length) + state.filled) // torch.where(first, 1, block_length)
        piece = plan_piece(state, config.cache_shape, blocks, self.head_dim)
        prompt_mask = prompts.frame_mask(state.frames[:, None])[:, None]
        x = self._embed(inputs, state.filled, first.to(inputs.device), block_length, actions)
        see = [_through_cache(piece, cache) for cache in state.layers]
        layers = self.layers.forward if piece.sink_rows else self.layers  # what is rare is not worth compiling apart
        films = None if actions is None else actions.films
        x = layers(x, inputs, see, piece.mask, prompts.keys, prompts.values, prompt_mask, films)
        state.filled += length
        hidden: Tensor = self.norm(x)
        return hidden

    def _embed(self, inputs: Tensor, offset: int, first: Tensor, block_length: int, actions: ActionVectors | None) -> Tensor:
        """Vectors of the inputs, their places in the frame, how far they were shifted, and what is done meanwhile."""
        places = (torch.arange(inputs.shape[1], device=inputs.device) + offset) % self.frame_length
        kinds = torch.where(first, 0, block_lengths(self.config.frame_shape).index(block_length))
        embedded: Tensor = self.vocabulary.embed(inputs) + self.places(places) + self.kinds(kinds)
        if actions is None or actions.added is None:
            return embedded
        return embedded + spread(actions.added, inputs.shape[1], self.frame_length)


def _through_cache(piece: Piece, cache: LayerCache) -> See:
    def see(queries: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return rotate(queries.to(cache.keys.dtype), piece.angles), *piece.extend(cache, keys.to(cache.keys.dtype), values)

    return see


def _init_embedding(module: nn.Module) -> None:
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.5)
