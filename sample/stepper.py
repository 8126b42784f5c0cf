"""`Stepper`: steps streams of one generator; each latent frame from the latent frames before it, the prompt and the noise."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from ..data import Caption
from ..data.actions import ActionSpace
from ..data.timeline import latent_captions
from ..model import ActionVectors, Outcome, PromptMemory, VideoLM, shift_tokens, to_sequence
from ..model.blocks import check_block_length
from ..tokenizer import TextTokenizer
from .anchor import init_anchor, renew_sink
from .codec import VideoCodec
from .compiled import compile_layers, compile_lm
from .decodings import Found, NextFrame
from .given import as_tokens
from .guides import Guides
from .kernels import prepared
from .packing import fingerprint
from .params import SamplingParams, checked_seed
from .past import Past, Recipe
from .plan import as_array, no_actions
from .prompts import NO_PROMPT, Prompt, captions_of, warn_of_unseen
from .sampling import Chooser, stream_uniforms
from .steps import GeneratorState, Step
from .token_header import TokenHeader


class Stepper:
    """Steps streams, each of which is a `GeneratorState` that belongs to the caller.

    The stepper computes with a copy of the video LM that shares the weights. So the caller's network stays as it is.

    Args:
        codec: Tokens to pixels and back.
        lm: Tokens to next tokens.
        text_tokenizer: Prompts to ids.
        compile: Whether the video LM is compiled, see `compile_lm`.
        action_space: What can be done, if the video LM knows actions; without it all actions are unknown.

    Attributes:
        compiled: Whether it is.

    Raises:
        ValueError: The parts do not fit each other, or the machine lacks what compiling needs.
    """

    def __init__(
        self,
        codec: VideoCodec,
        lm: VideoLM,
        text_tokenizer: TextTokenizer,
        compile: bool = False,
        action_space: ActionSpace | None = None,
        params: SamplingParams | None = None,
    ):
        _check_parts(codec, lm, text_tokenizer, action_space)
        self.codec, self.text_tokenizer, self.compiled, self.action_space = codec, text_tokenizer, compile, action_space
        self.params = params or SamplingParams()
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

    def header(self, state: GeneratorState) -> TokenHeader:
        """What the token file of a stream says that is made now. A file of a world names the video LM too."""
        every = None if state.anchor is None else state.anchor.every
        header = replace(self.codec.header(state.seed, state.params), reanchor_every=every)
        if self.action_space is None:
            return header
        return replace(header, lm=self.hashes["lm"], text=self.hashes["text"], action_space=self.action_space)

    def init_state(
        self,
        prompt: Prompt,
        seed: int,
        params: SamplingParams,
        reanchor_every: int | None = None,
        guides: Guides | None = None,
    ) -> GeneratorState:
        """The state before the first latent frame, when all actions are unknown; all prompts are checked here.

        Args:
            prompt: What the video shows.
            seed: Of its noise.
            params: How its tokens are chosen.
            reanchor_every: Latent frames between two renewals of the sink; `None` keeps it.
            guides: What guidance there may be; `None` is what the settings ask for.

        Raises:
            ValueError: A prompt, the seed or a setting is none that these networks take.
        """
        self.check_params(params)
        guides = guides or params.guides
        first, *upcoming = self.check_prompt(prompt)
        for text in (*(caption.text for caption in (first, *upcoming)), params.negative_prompt or ""):
            warn_of_unseen(self.text_tokenizer, text)
        previous = torch.full((1, self.lm.frame_length), -1)
        previous[:, -1] = self.lm.start_id
        return GeneratorState(
            lm=self.lm.init_state(guides.rows),
            decoder=self.codec.tokenizer.init_decoder_state(1, *self.codec.frame_shape),
            previous=previous.to(self.device),
            prompts=self._remember(first.text, guides, params.negative_prompt),
            prompt=first.text,
            upcoming=tuple(upcoming),
            latent_index=0,
            seed=checked_seed(seed),
            params=params,
            anchor=None if reanchor_every is None else init_anchor(reanchor_every, self.lm, self.codec),
            guides=guides,
            action=None if self.action_space is None else torch.from_numpy(self.action_space.unknown),
            planned=self.unknown_actions(0),
        )

    def check_prompt(self, prompt: Prompt) -> tuple[Caption, ...]:
        """The texts of a prompt, with the latent frames from which they hold.

        Raises:
            ValueError: A text is empty or too long, or a moment is none.
        """
        captions = latent_captions(captions_of(prompt, self.codec.fps), self.codec.stride)
        for caption in captions:
            if caption.text != NO_PROMPT:
                self.text_tokenizer.encode(caption.text, self.lm.config.max_prompt_length)
        return captions

    def check_params(self, params: SamplingParams) -> None:
        """Raises ValueError if settings do not fit the networks: tokens at a time, a negative prompt, guidance on actions."""
        check_block_length(params.block_length(self.codec.frame_shape), self.codec.frame_shape)
        if params.negative_prompt is not None:
            self.text_tokenizer.encode(params.negative_prompt, self.lm.config.max_prompt_length)
        if params.action_guided and self.action_space is None:
            raise ValueError(
                f"got action_guidance {params.action_guidance:g} for {self.codec.name!r}, a model that knows no actions; "
                "wanted 1; leave it out"
            )

    @torch.inference_mode()
    def encode_prompt(self, prompt: str, guided: bool, negative_prompt: str | None = None) -> PromptMemory:
        """The memory of a prompt; if guided, the memory of the negative prompt, or else the null prompt, in a second row."""
        limit = self.lm.config.max_prompt_length
        ids = self.text_tokenizer.batch([prompt, negative_prompt or ""] if guided else [prompt], limit)[:, None].to(self.device)
        return self.lm.encode_prompts(ids, ids != self.text_tokenizer.pad_id)

    def _remember(self, prompt: str, guides: Guides, negative_prompt: str | None) -> PromptMemory:
        """The memory of a prompt, for each row of a stream."""
        memory = self.encode_prompt(prompt, guides.text, negative_prompt)
        return memory.select(guides.prompted) if guides.action else memory

    def set_prompt(self, state: GeneratorState, prompt: str) -> None:
        """Lets a prompt hold from the next latent frame on; its memory is computed here, once."""
        self.text_tokenizer.encode(prompt, self.lm.config.max_prompt_length)  # an empty one is an error, and not the null prompt
        state.prompts, state.prompt = self._remember(prompt, state.guides, state.params.negative_prompt), prompt

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
        if params.action_guided and not state.guides.action:
            raise ValueError(
                f"got action_guidance {params.action_guidance:g} for a stream that began without (a scale of 1) and has no cache "
                "for unknown actions; wanted 1; begin the stream with another scale to change it later"
            )
        if params.negative_prompt != state.params.negative_prompt:
            state.prompts = self._remember(state.prompt, state.guides, params.negative_prompt)
        state.params = params

    def act(self, state: GeneratorState, value: object) -> None:
        """Lets an action be done from the next latent frame on; what was planned is dropped.

        Raises:
            ActionError: It is none of the model's action space, or the model knows none.
        """
        space = self.known_space()
        state.plan(torch.from_numpy(space.action(as_array(value))), torch.empty(0, self.codec.stride.frames, space.size))

    def unknown_actions(self, length: int) -> Tensor | None:
        """Of so many latent frames, float32 `[length, stride, A]`; `None` of a model without actions."""
        space = self.action_space
        return None if space is None else torch.full((length, self.codec.stride.frames, space.size), torch.nan)

    def known_space(self) -> ActionSpace:
        """What can be done.

        Raises:
            ActionError: The model knows no actions.
        """
        if self.action_space is None:
            raise no_actions(self.codec.name)
        return self.action_space

    def encode_actions(self, due: Sequence[Tensor | None], guides: Guides) -> ActionVectors | None:
        """What the next latent frames of some streams are made under.

        Args:
            due: float32 `[stride, A]` of each stream; `None` is unknown.
            guides: Their rows.

        Returns:
            Rows of all streams for each row of the guides; `None` if the model knows no actions.
        """
        if self.action_space is None:
            return None
        unknown = torch.full((self.codec.stride.frames, self.action_space.size), torch.nan)
        known = [unknown if actions is None else actions for actions in due]
        rows = [actions for knowing in guides.knowing for actions in (known if knowing else [unknown] * len(known))]
        return self.lm.encode_actions(torch.stack(rows)[:, None].to(self.device))

    def no_past(self) -> Past:
        """What a stream has that begins."""
        return Past(torch.empty(0, *self.codec.frame_shape), actions=self.unknown_actions(0))

    def prefill(self, state: GeneratorState, tokens: Tensor, actions: Tensor | None = None) -> Past:
        """Takes the first latent frames of a video into a fresh state, each under the prompt of its time.

        Args:
            state: Where the stream stands. Updated.
            tokens: int64 `[T, H, W]`.
            actions: float32 `[T, stride, A]`, what was done; `None` is unknown.

        Returns:
            What the stream has by now.

        Raises:
            ValueError: Shape or range of the tokens are not those of this tokenizer's frames.
        """
        tokens = as_tokens(tokens, self.lm.config.codebook_size, self.codec.frame_shape)
        actions = self.unknown_actions(len(tokens)) if actions is None else actions
        later = [(caption.start, caption.text) for caption in state.upcoming if caption.start < len(tokens)]
        past = Past(tokens, ((0, state.prompt), *later), ((0, Recipe(state.seed, state.params, given=True)),), actions)
        for _ in self.prefilling(state, past):
            pass
        return past

    @torch.inference_mode()
    def prefilling(self, state: GeneratorState, past: Past) -> Iterator[None]:
        """As `prefill` for tokens that fit, latent frame by latent frame; it is done when nothing more is given."""
        grid, block_length = past.tokens[None].to(self.device), state.params.block_length(self.codec.frame_shape)
        shifted = shift_tokens(grid, block_length, self.lm.start_id).split(self.lm.frame_length, dim=1)
        for index, (piece, inputs) in enumerate(zip(past.tokens.split(1), shifted, strict=True)):
            picture = self.codec.decode_frame(piece, state.decoder)[-1]
            if state.anchor is not None:
                state.anchor.keep(picture)
            self.follow_timeline(state)
            actions = self.encode_actions([None if past.actions is None else past.actions[index]], state.guides)
            self.lm(inputs.expand(state.guides.rows, -1), state.prompts, block_length, state.lm, False, actions)
            state.latent_index += 1
            yield
        state.previous = to_sequence(grid[:, -1:])
        if past.actions is not None and state.planned is not None:
            state.plan(past.actions[-1, -1], state.planned)

    def follow_timeline(self, state: GeneratorState) -> None:
        """Changes the prompt if the next latent frame has another one."""
        while state.upcoming and state.upcoming[0].start <= state.latent_index:
            due, *later = state.upcoming
            state.upcoming = tuple(later)
            self.set_prompt(state, due.text)

    def step(self, state: GeneratorState) -> Step:
        """Makes the next latent frame and decodes it."""
        actions = state.due_actions(self.codec.stride.frames)
        found = self.predict(state, actions)
        tokens = found.tokens.unflatten(1, self.codec.frame_shape)
        frames = self.codec.decode_frame(tokens, state.decoder)
        if self.is_sink_due(state, frames[-1]):
            self.renew_sink(state)
        return Step(tokens[0], frames, found.forwards, actions, self.outcome(found))

    @torch.inference_mode()
    def predict(self, state: GeneratorState, actions: Tensor | None = None) -> Found:
        """Chooses the tokens of the next latent frame, int64 `[1, frame_length]`, under actions `[stride, A]`."""
        self.follow_timeline(state)
        uniforms = stream_uniforms(state.seed, state.latent_index, self.lm.frame_length)[None].to(self.device)
        block_length, encoded = state.params.block_length(self.codec.frame_shape), self.encode_actions([actions], state.guides)
        frame = NextFrame(self.lm, state.lm, state.prompts, state.previous, block_length, encoded)
        found = state.params.way.find(frame, lambda places: Chooser(state.params, uniforms[:, places], state.guides))
        state.advance(found.tokens)
        return found

    @torch.inference_mode()
    def outcome(self, found: Found) -> Outcome | None:
        """What came of the actions of latent frames that were made, if the model tells."""
        return None if self.lm.heads is None else self.lm.outcome(found.last)

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


def _check_parts(codec: VideoCodec, lm: VideoLM, text_tokenizer: TextTokenizer, space: ActionSpace | None) -> None:
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
    if space is not None and space.size != lm.config.num_actions:
        raise ValueError(
            f"got an action space of {space.size} numbers and a video LM for {lm.config.num_actions}; wanted them equal: the LM "
            "was trained in another world; load both from one bundle"
        )
