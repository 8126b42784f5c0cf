"""`VideoGenerator`: prompt and seed to frames, one latent frame per step; `stream` yields what `step` makes."""

import hashlib
import sys
from collections.abc import Sequence
from functools import cached_property
from math import inf, nextafter
from typing import Any, overload

import torch
from torch import Tensor

from ..data import Timeline, to_frames, to_video
from ..data.timeline import latent_captions
from ..model import LMState, PromptMemory, VideoLM, shift_tokens, to_sequence
from ..model.blocks import check_block_length
from ..tokenizer import TextTokenizer, VideoTokenizer
from .clip import Clip
from .collect import collect, collect_batch
from .compiled import compile_lm
from .decoding import ChooserOf, Found, FrameDecoding
from .given import Picture, as_frames
from .kernels import prepare
from .packing import fingerprint
from .params import SamplingParams, checked_seed, real, whole
from .prompts import Prompt, is_batch, timeline_of, warn_of_unseen
from .sampling import Chooser, stream_uniforms
from .snapshot import restore_stream
from .steps import Anchor, GeneratorState, Step
from .stream import Stream
from .token_file import TokenHeader, describe_tokens

_ENCODED_AT_ONCE = 8  # latent frames
_FEW_STREAMS = 2
_CLIPS_AT_ONCE = 8


class VideoGenerator:
    """Generates video from a prompt and a seed.

    On a CPU it keeps the weights of the networks a second time, as its kernels want them; a copy of it does, too.

    Args:
        tokenizer: Tokens to pixels, and pixels to tokens for clips to continue.
        lm: Tokens to next tokens.
        text_tokenizer: Prompts to ids.
        height: Rows of a frame in pixels.
        width: Columns of a frame in pixels.
        fps: Frames per second of the videos the LM was trained on.
        name: What a person calls it; the name of its bundle.
        compile: Whether the video LM is compiled, in a copy, see `compile_lm`.

    Raises:
        ValueError: The parts do not fit each other, or the machine lacks what compiling needs.
    """

    def __init__(
        self,
        tokenizer: VideoTokenizer,
        lm: VideoLM,
        text_tokenizer: TextTokenizer,
        height: int,
        width: int,
        fps: float,
        name: str = "unnamed",
        compile: bool = False,
    ):
        self.height, self.width = (whole("a side", side, 1, inf, "a whole number of pixels") for side in (height, width))
        self.fps = float(real("fps", fps, nextafter(0, 1), sys.float_info.max, "a number above 0"))
        _check_parts(tokenizer, lm, text_tokenizer, self.height, self.width)
        self.tokenizer, self.lm, self.text_tokenizer = tokenizer.eval(), lm.eval(), text_tokenizer
        self.name, self._compiled = name, compile
        self._speed_up()

    def _speed_up(self) -> None:
        prepare(self.tokenizer)
        if self._compiled:
            self.lm = compile_lm(self.lm)
        else:
            prepare(self.lm)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy gets kernels of its own: without them, its frames would be rounded in another way."""
        self.__dict__.update(state)
        self._speed_up()

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.lm.places.weight.device

    @cached_property
    def hashes(self) -> dict[str, str]:
        """What tells these networks from others: `tokenizer` and `lm`, sha256 of their weights, and `text` of the pieces."""
        text = hashlib.sha256(self.text_tokenizer.model_bytes).hexdigest()
        return {"tokenizer": fingerprint(self.tokenizer), "lm": fingerprint(self.lm), "text": text}

    @overload
    def generate(
        self,
        prompt: Prompt,
        num_frames: int,
        seed: int = 0,
        params: SamplingParams | None = None,
        first_frames: Picture | Sequence[Picture] | None = None,
    ) -> Clip: ...

    @overload
    def generate(
        self,
        prompt: list[str],
        num_frames: int,
        seed: int = 0,
        params: SamplingParams | None = None,
        first_frames: Picture | Sequence[Picture] | None = None,
    ) -> list[Clip]: ...

    def generate(self, prompt, num_frames, seed=0, params=None, first_frames=None):
        """Makes a clip: the collected stream.

        Args:
            prompt: What the video shows; may change over time, as for `stream`. A list of prompts makes a list of clips, side by
                side in one batch, each of them as it would be alone.
            num_frames: Length of the clip, `1 + temporal_stride * k`, with `first_frames` included.
            seed: The same seed, prompt and settings give the same tokens.
            params: How tokens are chosen; `None` takes the defaults.
            first_frames: A clip to continue: uint8 `[T, H, W, 3]` as a tensor or an array, a picture of Pillow, or a list of
                single frames; T = `1 + temporal_stride * k` and smaller than `num_frames`.

        Raises:
            ValueError: A length, size or prompt is not as above.
        """
        length = self.tokenizer.num_latent_frames(num_frames)
        given = None if first_frames is None else self.encode(first_frames)
        if given is not None and length <= len(given):
            first = self.tokenizer.num_frames(len(given))
            raise ValueError(
                f"got num_frames {num_frames} and {first} first frames; wanted more frames than are given; ask for "
                f"{first + self.tokenizer.temporal_stride} in all, for instance"
            )
        past = [] if given is None else [self.decode(given)]
        if not is_batch(prompt):
            return collect(self.stream(prompt, seed, params, first_tokens=given), length, past)
        self._check_lengths(prompt)
        clips = []
        for start in range(0, len(prompt), _CLIPS_AT_ONCE):
            streams = [self.stream(one, seed, params, first_tokens=given) for one in prompt[start : start + _CLIPS_AT_ONCE]]
            clips += collect_batch(streams, length, past)
        return clips

    def _check_lengths(self, prompts: Sequence[str | Timeline]) -> None:
        """That every prompt can be taken is known before the first clip is made."""
        for prompt in prompts:
            for _, text in Timeline.of(prompt).entries:
                self.text_tokenizer.encode(text, self.lm.config.max_prompt_length)

    def stream(
        self,
        prompt: Prompt,
        seed: int = 0,
        params: SamplingParams | None = None,
        first_frames: Picture | Sequence[Picture] | None = None,
        first_tokens: Tensor | None = None,
        reanchor_every: int | None = None,
    ) -> Stream:
        """Starts an endless stream of frames.

        Args:
            prompt: What the video shows: a text, which may be a timeline such as "a red circle moves right; at 2s it stops",
                a `Timeline`, or pairs of seconds and text.
            seed: The same seed, prompt and settings give the same tokens.
            params: How tokens are chosen; `None` takes the defaults.
            first_frames: A clip to continue, as for `generate`; the stream begins after it.
            first_tokens: int64 `[T, H, W]`, the same as tokens, such as those of another stream.
            reanchor_every: Every so many latent frames the oldest one of the window is decoded, encoded as a picture, and kept
                as the sink instead of the stream's first one; `None` keeps that for ever.

        Raises:
            ValueError: A length, size or prompt is not as above.
        """
        if first_frames is not None:
            if first_tokens is not None:
                raise ValueError("got first_frames and first_tokens; wanted one of them: both say how the video begins")
            first_tokens = self.encode(first_frames)
        state = self.init_state(prompt, seed, params or SamplingParams(), reanchor_every)
        if first_tokens is None:
            return Stream(self, state, torch.empty(0, *self.lm.config.frame_shape))
        prompts = [(0, state.prompt), *((later.start, later.text) for later in state.upcoming if later.start < len(first_tokens))]
        self.prefill(state, first_tokens)
        return Stream(self, state, first_tokens, prompts)

    def restore(self, snapshot: bytes) -> Stream:
        """The stream of a snapshot, which goes on token for token, in any process.

        Raises:
            SnapshotError: It is damaged, or was made by other networks.
        """
        return restore_stream(self, snapshot)

    def token_header(self, seed: int | None = None, params: SamplingParams | None = None) -> TokenHeader:
        """What a token file says of tokens of this generator, or where there is no seed, of a video that it encoded."""
        return describe_tokens(self.tokenizer, self.name, (self.height, self.width), self.fps, seed, params)

    def init_state(self, prompt: Prompt, seed: int, params: SamplingParams, reanchor_every: int | None = None) -> GeneratorState:
        """The state before the first latent frame; all prompts are checked here."""
        self.check_params(params)
        frame_shape = self.lm.config.frame_shape
        first, *upcoming = latent_captions(timeline_of(prompt).captions(self.fps), self.tokenizer.temporal_stride)
        for caption in (first, *upcoming):
            self.text_tokenizer.encode(caption.text, self.lm.config.max_prompt_length)
            warn_of_unseen(self.text_tokenizer, caption.text)
        previous = torch.full((1, self.lm.frame_length), -1)
        previous[:, -1] = self.lm.start_id
        return GeneratorState(
            lm=self.lm.init_state(2 if params.guided else 1),
            decoder=self.tokenizer.init_decoder_state(1, *frame_shape),
            previous=previous.to(self.device),
            prompts=self.encode_prompt(first.text, params.guided),
            prompt=first.text,
            upcoming=tuple(upcoming),
            latent_index=0,
            seed=checked_seed(seed),
            params=params,
            anchor=None if reanchor_every is None else self._init_anchor(reanchor_every),
        )

    @torch.inference_mode()
    def encode_prompt(self, prompt: str, guided: bool) -> PromptMemory:
        """The prompt's keys and values, with the null prompt's in a second row where guided."""
        limit = self.lm.config.max_prompt_length
        self.text_tokenizer.encode(prompt, limit)  # an empty prompt is an error here, and not the null prompt
        ids = self.text_tokenizer.batch([prompt, ""] if guided else [prompt], limit)[:, None].to(self.device)
        return self.lm.encode_prompts(ids, ids != self.text_tokenizer.pad_id)

    def set_prompt(self, state: GeneratorState, prompt: str) -> None:
        """Lets a prompt hold from the next latent frame on; its keys and values are computed here, once."""
        state.prompts, state.prompt = self.encode_prompt(prompt, state.guided), prompt

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
        state.params = params

    def check_params(self, params: SamplingParams) -> None:
        """Raises ValueError where the tokens chosen at a time do not fit this model's latent frames."""
        frame_shape = self.lm.config.frame_shape
        check_block_length(params.tokens_per_forward(frame_shape), frame_shape)

    @torch.inference_mode()
    def encode(self, frames: Picture | Sequence[Picture]) -> Tensor:
        """Tokens int64 `[T, H, W]` of frames uint8 `[T, H, W, 3]`, T = `1 + temporal_stride * k`; in constant memory.

        The frames may be a tensor, an array, a picture of Pillow, or a list of single frames.

        Raises:
            ValueError: Length, size or values do not fit.
        """
        frames = as_frames(frames)
        if frames.shape[1:3] != (self.height, self.width):
            raise ValueError(
                f"got first frames of {frames.shape[1]}x{frames.shape[2]} pixels; wanted {self.height}x{self.width}, the size "
                "this model was trained on; read them with `read_video(path, size=...)`"
            )
        self.tokenizer.num_latent_frames(frames.shape[0])
        state = self.tokenizer.init_encoder_state(1, self.height, self.width)
        chunks = frames.split(_ENCODED_AT_ONCE * self.tokenizer.temporal_stride)
        return torch.cat([self.tokenizer.encode(to_video(chunk)[None].to(self.device), state) for chunk in chunks], dim=1)[0]

    @torch.inference_mode()
    def prefill(self, state: GeneratorState, tokens: Tensor) -> None:
        """Takes the first latent frames of a video, int64 `[T, H, W]`, into a fresh state, each under the prompt of its time.

        Raises:
            ValueError: Shape or range of the tokens are not those of this tokenizer's frames.
        """
        if tokens.ndim != 3 or tokens.shape[0] == 0 or tuple(tokens.shape[1:]) != self.lm.config.frame_shape:
            raise ValueError(
                f"got first tokens of shape {list(tokens.shape)}; wanted [T, {', '.join(map(str, self.lm.config.frame_shape))}]"
            )
        grid = tokens[None].to(self.device)
        for piece in grid.split(1, dim=1):  # the decoder checks the range
            self.keep_picture(state, to_frames(self.tokenizer.decode(piece, state.decoder))[0, -1])
        block_length = state.params.tokens_per_forward(self.lm.config.frame_shape)
        for inputs in shift_tokens(grid, block_length, self.lm.start_id).split(self.lm.frame_length, dim=1):
            self.follow_timeline(state)
            self.lm(inputs.expand(state.prompts.keys.shape[0], -1), state.prompts, block_length, state.lm)
            state.latent_index += 1
        state.previous = to_sequence(grid[:, -1:])

    def follow_timeline(self, state: GeneratorState) -> None:
        """Changes the prompt where the next latent frame has another one."""
        while state.upcoming and state.upcoming[0].start <= state.latent_index:
            due, *later = state.upcoming
            state.upcoming = tuple(later)
            self.set_prompt(state, due.text)

    @torch.inference_mode()
    def step(self, state: GeneratorState) -> Step:
        """Makes the next latent frame and decodes it."""
        found = self.predict_frame(state)
        tokens = found.tokens.unflatten(1, (1, *self.lm.config.frame_shape))
        frames = to_frames(self.tokenizer.decode(tokens, state.decoder))[0]
        self.keep_picture(state, frames[-1])
        if self.is_anchor_due(state):
            self.reanchor(state)
        return Step(tokens[0, 0], frames, found.forwards)

    def keep_picture(self, state: GeneratorState, picture: Tensor) -> None:
        """Keeps the last frame of a latent frame, uint8 `[H, W, 3]`, where the sink is renewed from such."""
        if state.anchor is not None:
            state.anchor.pictures = torch.cat([state.anchor.pictures[:, 1:], picture[None, None]], dim=1)

    def is_anchor_due(self, state: GeneratorState) -> bool:
        """Whether the sink is to be renewed before the next latent frame."""
        rolled = state.latent_index >= self.lm.config.cache_shape.past_frames
        return state.anchor is not None and rolled and state.latent_index % state.anchor.every == 0

    @torch.inference_mode()
    def reanchor(self, state: GeneratorState) -> None:
        """Renews the sink by the oldest picture of the window, encoded as the first frame of a video is."""
        assert state.anchor is not None
        picture = to_video(state.anchor.pictures[0, :1])[None].to(self.device)
        inputs = shift_tokens(self.tokenizer.encode(picture), 1, self.lm.start_id)
        fresh = self.lm.init_state(state.prompts.keys.shape[0])
        self.lm(inputs.expand(state.prompts.keys.shape[0], -1), state.prompts, 1, fresh)
        self.lm.replace_sink(state.lm, fresh)

    @torch.inference_mode()
    def predict_frame(self, state: GeneratorState) -> Found:
        """Chooses the tokens of the next latent frame, int64 `[1, frame_length]`."""
        self.follow_timeline(state)
        uniforms = stream_uniforms(state.seed, state.latent_index, self.lm.frame_length)[None].to(self.device)
        found = self.find_tokens(
            state.lm, state.prompts, state.previous, state.params, lambda places: Chooser(state.params, uniforms[:, places])
        )
        state.latent_index, state.previous = state.latent_index + 1, found.tokens
        return found

    @torch.inference_mode()
    def find_tokens(
        self, lm: LMState, prompts: PromptMemory, previous: Tensor, params: SamplingParams, chooser: ChooserOf
    ) -> Found:
        """The tokens of the next latent frame of some streams, which are all before their first one, or none.

        Args:
            lm: Where they stand; of R rows, or of 2 R where guided.
            prompts: What conditions them, rows as in `lm`.
            previous: int64 `[R, frame_length]`, the latent frames before.
            params: How many tokens are chosen at a time, and whether in parallel.
            chooser: Gives what chooses the tokens of some places.
        """
        decoding = FrameDecoding(self.lm, lm, prompts, previous, params.tokens_per_forward(self.lm.config.frame_shape))
        first = not lm.frames.any()
        crowded = first and len(previous) > _FEW_STREAMS  # several streams fill a forward by themselves
        return decoding.in_parallel(chooser) if params.is_parallel(first) and not crowded else decoding.in_order(chooser)

    @torch.inference_mode()
    def decode(self, tokens: Tensor) -> Tensor:
        """Frames uint8 `[T, H, W, 3]` of tokens `[T, H, W]`, latent frame by latent frame in constant memory."""
        state = self.tokenizer.init_decoder_state(1, *tokens.shape[1:])
        pieces = [to_frames(self.tokenizer.decode(piece[None].to(self.device), state))[0] for piece in tokens.split(1)]
        return torch.cat(pieces).cpu()

    def _init_anchor(self, every: int) -> Anchor:
        if every < 1 or not self.lm.config.sink_frames:
            raise ValueError(
                f"got reanchor_every {every} for a model with {self.lm.config.sink_frames} sink frames; wanted at least 1 of "
                "each; leave it out to keep the sink as it is"
            )
        shape = (1, self.lm.config.context_frames, self.height, self.width, 3)
        return Anchor(every, torch.zeros(shape, dtype=torch.uint8, device=self.device))


def _check_parts(tokenizer: VideoTokenizer, lm: VideoLM, text_tokenizer: TextTokenizer, height: int, width: int) -> None:
    pairs = (
        ("video tokens", tokenizer.codebook_size, lm.config.codebook_size),
        ("tokens per frame", tokenizer.frame_shape(height, width), lm.config.frame_shape),
        ("text ids", text_tokenizer.vocab_size, lm.config.text_vocab_size),
    )
    for name, made, expected in pairs:
        if made != expected:
            raise ValueError(
                f"got a tokenizer with {made} {name} and a video LM for {expected}; wanted them equal: the LM was trained on "
                "another tokenizer; load both from one bundle"
            )
