"""`Stepper`: steps streams of one generator; each latent frame from the latent frames before it, the prompt and the noise."""

import hashlib
from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from ..data import Caption
from ..data.timeline import latent_captions
from ..model import PromptMemory, VideoLM, shift_tokens, to_sequence
from ..model.blocks import check_block_length
from ..tokenizer import TextTokenizer
from .anchor import init_anchor, renew_sink
from .codec import VideoCodec
from .compiled import compile_layers, compile_lm
from .decodings import Found, NextFrame
from .given import as_tokens
from .kernels import prepared
from .packing import fingerprint
from .params import SamplingParams, checked_seed
from .prompts import Prompt, timeline_of, warn_of_unseen
from .sampling import Chooser, stream_uniforms
from .steps import GeneratorState, Step


class Stepper:
    """Steps streams, each of which is a `GeneratorState` that belongs to the caller.

    The stepper computes with a copy of the video LM that shares the weights. So the caller's network stays as it is.

    Args:
        codec: Tokens to pixels and back.
        lm: Tokens to next tokens.
        text_tokenizer: Prompts to ids.
        compile: Whether the video LM is compiled, see `compile_lm`.

    Attributes:
        compiled: Whether it is.

    Raises:
        ValueError: The parts do not fit each other, or the machine lacks what compiling needs.
    """

    def __init__(self, codec: VideoCodec, lm: VideoLM, text_tokenizer: TextTokenizer, compile: bool = False):
        _check_parts(codec, lm, text_tokenizer)
        self.codec, self.text_tokenizer, self.compiled = codec, text_tokenizer, compile
        self.lm = compile_lm(lm) if compile else prepared(lm)

    def __setstate__(self, state: dict[str, object]) -> None:
        """A copy is compiled again."""
        self.__dict__.update(state)
        if self.compiled:
            compile_layers(self.lm)

    @property
    def device(self) -> torch.device:
        """Where the video LM is."""
        return self.lm.places.weight.device

    @cached_property
    def hashes(self) -> dict[str, str]:
        """What tells these networks from others: `tokenizer` and `lm`, sha256 of their weights, and `text` of the pieces."""
        text = hashlib.sha256(self.text_tokenizer.model_bytes).hexdigest()
        return {"tokenizer": self.codec.hash, "lm": fingerprint(self.lm), "text": text}

    def init_state(self, prompt: Prompt, seed: int, params: SamplingParams, reanchor_every: int | None = None) -> GeneratorState:
        """The state before the first latent frame; all prompts are checked here.

        Raises:
            ValueError: A prompt, the seed or a setting is none that these networks take.
        """
        self.check_params(params)
        first, *upcoming = self.check_prompt(prompt)
        for text in (*(caption.text for caption in (first, *upcoming)), params.negative_prompt or ""):
            warn_of_unseen(self.text_tokenizer, text)
        previous = torch.full((1, self.lm.frame_length), -1)
        previous[:, -1] = self.lm.start_id
        return GeneratorState(
            lm=self.lm.init_state(2 if params.guided else 1),
            decoder=self.codec.tokenizer.init_decoder_state(1, *self.codec.frame_shape),
            previous=previous.to(self.device),
            prompts=self.encode_prompt(first.text, params.guided, params.negative_prompt),
            prompt=first.text,
            upcoming=tuple(upcoming),
            latent_index=0,
            seed=checked_seed(seed),
            params=params,
            anchor=None if reanchor_every is None else init_anchor(reanchor_every, self.lm, self.codec),
        )

    def check_prompt(self, prompt: Prompt) -> tuple[Caption, ...]:
        """The texts of a prompt, with the latent frames from which they hold.

        Raises:
            ValueError: A text is empty or too long, or a moment is none.
        """
        captions = latent_captions(timeline_of(prompt).captions(self.codec.fps), self.codec.stride)
        for caption in captions:
            self.text_tokenizer.encode(caption.text, self.lm.config.max_prompt_length)
        return captions

    def check_params(self, params: SamplingParams) -> None:
        """Raises ValueError if the tokens chosen at a time do not fit the latent frames, or a negative prompt is too long."""
        check_block_length(params.block_length(self.codec.frame_shape), self.codec.frame_shape)
        if params.negative_prompt is not None:
            self.text_tokenizer.encode(params.negative_prompt, self.lm.config.max_prompt_length)

    @torch.inference_mode()
    def encode_prompt(self, prompt: str, guided: bool, negative_prompt: str | None = None) -> PromptMemory:
        """The memory of a prompt; if guided, the memory of the negative prompt, or else the null prompt, in a second row."""
        limit = self.lm.config.max_prompt_length
        self.text_tokenizer.encode(prompt, limit)  # an empty prompt is an error here, and not the null prompt
        ids = self.text_tokenizer.batch([prompt, negative_prompt or ""] if guided else [prompt], limit)[:, None].to(self.device)
        return self.lm.encode_prompts(ids, ids != self.text_tokenizer.pad_id)

    def set_prompt(self, state: GeneratorState, prompt: str) -> None:
        """Lets a prompt hold from the next latent frame on; its memory is computed here, once."""
        state.prompts, state.prompt = self.encode_prompt(prompt, state.guided, state.params.negative_prompt), prompt

    def set_params(self, state: GeneratorState, params: SamplingParams) -> None:
        """Lets other settings hold from the next latent frame on.

        Raises:
            ValueError: The block length is not legal, or guidance is wanted of a stream that began without.
        """
        self.check_params(params)
        if params.guided and not state.guided:
            raise ValueError(
                f"got guidance_scale {params.guidance_scale:g} for a stream that began without guidance (a scale of 1) and "
                "has no memory of the null prompt; wanted 1; begin the stream with another scale to change it later"
            )
        if params.negative_prompt != state.params.negative_prompt:
            state.prompts = self.encode_prompt(state.prompt, state.guided, params.negative_prompt)
        state.params = params

    def prefill(self, state: GeneratorState, tokens: Tensor) -> list[tuple[int, str]]:
        """Takes the first latent frames of a video, int64 `[T, H, W]`, into a fresh state, each under the prompt of its time.

        Returns:
            The prompts that held for them, with the latent frames from which they did.

        Raises:
            ValueError: Shape or range of the tokens are not those of this tokenizer's frames.
        """
        tokens = as_tokens(tokens, self.lm.config.codebook_size, self.codec.frame_shape)
        prompts = [(0, state.prompt), *((later.start, later.text) for later in state.upcoming if later.start < len(tokens))]
        for _ in self.prefilling(state, tokens):
            pass
        return prompts

    @torch.inference_mode()
    def prefilling(self, state: GeneratorState, tokens: Tensor) -> Iterator[None]:
        """As `prefill` for tokens that fit, latent frame by latent frame; it is done when nothing more is given."""
        grid, block_length = tokens[None].to(self.device), state.params.block_length(self.codec.frame_shape)
        shifted = shift_tokens(grid, block_length, self.lm.start_id).split(self.lm.frame_length, dim=1)
        for piece, inputs in zip(tokens.split(1), shifted, strict=True):
            picture = self.codec.decode_frame(piece, state.decoder)[-1]
            if state.anchor is not None:
                state.anchor.keep(picture)
            self.follow_timeline(state)
            self.lm(inputs.expand(state.prompts.keys.shape[0], -1), state.prompts, block_length, state.lm)
            state.latent_index += 1
            yield
        state.previous = to_sequence(grid[:, -1:])

    def follow_timeline(self, state: GeneratorState) -> None:
        """Changes the prompt if the next latent frame has another one."""
        while state.upcoming and state.upcoming[0].start <= state.latent_index:
            due, *later = state.upcoming
            state.upcoming = tuple(later)
            self.set_prompt(state, due.text)

    def step(self, state: GeneratorState) -> Step:
        """Makes the next latent frame and decodes it."""
        found = self.predict(state)
        tokens = found.tokens.unflatten(1, self.codec.frame_shape)
        frames = self.codec.decode_frame(tokens, state.decoder)
        if self.is_sink_due(state, frames[-1]):
            self.renew_sink(state)
        return Step(tokens[0], frames, found.forwards)

    @torch.inference_mode()
    def predict(self, state: GeneratorState) -> Found:
        """Chooses the tokens of the next latent frame, int64 `[1, frame_length]`."""
        self.follow_timeline(state)
        uniforms = stream_uniforms(state.seed, state.latent_index, self.lm.frame_length)[None].to(self.device)
        block_length = state.params.block_length(self.codec.frame_shape)
        frame = NextFrame(self.lm, state.lm, state.prompts, state.previous, block_length)
        found = state.params.way.find(frame, lambda places: Chooser(state.params, uniforms[:, places]))
        state.latent_index, state.previous = state.latent_index + 1, found.tokens
        return found

    def is_sink_due(self, state: GeneratorState, picture: Tensor) -> bool:
        """Keeps the last frame of the latent frame that was made, and says whether the sink is to be renewed now."""
        if state.anchor is None:
            return False
        state.anchor.keep(picture)
        return state.anchor.is_due(state.latent_index, self.lm.config.cache_shape.past_frames)

    def renew_sink(self, state: GeneratorState) -> None:
        """Renews the sink by the oldest picture of the window."""
        assert state.anchor is not None
        renew_sink(self.lm, state.lm, state.prompts, state.anchor.pictures[0, 0], self.codec)


def _check_parts(codec: VideoCodec, lm: VideoLM, text_tokenizer: TextTokenizer) -> None:
    stride = codec.stride.frames
    pairs = (
        ("video tokens", codec.tokenizer.codebook_size, lm.config.codebook_size),
        ("tokens per frame", codec.frame_shape, lm.config.frame_shape),
        ("text ids", text_tokenizer.vocab_size, lm.config.text_vocab_size),
        ("frames per latent frame", stride, lm.config.action_frames if lm.config.num_actions else stride),
    )
    for name, made, expected in pairs:
        if made != expected:
            raise ValueError(
                f"got a tokenizer with {made} {name} and a video LM for {expected}; wanted them equal: the LM was trained on "
                "another tokenizer; load both from one bundle"
            )
