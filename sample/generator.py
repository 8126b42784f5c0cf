"""`VideoGenerator`: prompt and seed to frames, one latent frame per step; `stream` yields what `step` makes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import to_frames, to_video
from ..model import LMState, PromptMemory, VideoLM, shift_tokens, to_sequence
from ..model.blocks import check_block_length
from ..state import State
from ..tokenizer import DecoderState, TextTokenizer, VideoTokenizer
from .clip import Clip
from .params import SamplingParams
from .sampling import Chooser, stream_uniforms
from .stream import Stream


@dataclass
class GeneratorState(State):
    """Where a stream stands; the caller's.

    Attributes:
        lm: The video LM's cache, of one row, or two where guided.
        decoder: The detokenizer's state.
        previous: int64 `[1, frame_length]`, tokens of the last latent frame; before the first one -1 and the start.
        prompts: The prompt's keys and values, rows as in `lm`.
        prompt: The prompt that holds for the next latent frame.
        latent_index: The next latent frame.
        seed: Seed of the stream's noise.
        params: How tokens are chosen.
    """

    lm: LMState
    decoder: DecoderState
    previous: Tensor
    prompts: PromptMemory
    prompt: str
    latent_index: int
    seed: int
    params: SamplingParams


@dataclass(frozen=True)
class Step:
    """One latent frame: `tokens` int64 `[H, W]` and the frames they decode to, uint8 `[T, H, W, 3]`."""

    tokens: Tensor
    frames: Tensor


class VideoGenerator:
    """Generates video from a prompt and a seed.

    Args:
        tokenizer: Tokens to pixels, and pixels to tokens for clips to continue.
        lm: Tokens to next tokens.
        text_tokenizer: Prompts to ids.
        height: Rows of a frame in pixels.
        width: Columns of a frame in pixels.
        fps: Frames per second of the videos the LM was trained on.

    Raises:
        ValueError: The parts do not fit each other.
    """

    def __init__(
        self, tokenizer: VideoTokenizer, lm: VideoLM, text_tokenizer: TextTokenizer, height: int, width: int, fps: float
    ):
        _check_parts(tokenizer, lm, text_tokenizer, height, width)
        self.tokenizer, self.lm, self.text_tokenizer = tokenizer.eval(), lm.eval(), text_tokenizer
        self.height, self.width, self.fps = height, width, fps

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.lm.places.weight.device

    def generate(
        self,
        prompt: str,
        num_frames: int,
        seed: int = 0,
        params: SamplingParams | None = None,
        first_frames: Tensor | None = None,
    ) -> Clip:
        """Makes a clip: the collected stream.

        Args:
            prompt: What the video shows.
            num_frames: Length of the clip, `1 + temporal_stride * k`, with `first_frames` included.
            seed: The same seed, prompt and settings give the same tokens.
            params: How tokens are chosen; `None` takes the defaults.
            first_frames: uint8 `[T, H, W, 3]`, a clip to continue, T = `1 + temporal_stride * k` and smaller than `num_frames`.

        Raises:
            ValueError: A length, size or prompt is not as above.
        """
        length = self.tokenizer.num_latent_frames(num_frames)
        stream = self.stream(prompt, seed, params, first_frames)
        given = 0 if stream.tokens is None else stream.tokens.shape[0]
        if length <= given:
            first = self.tokenizer.num_frames(given)
            raise ValueError(
                f"got num_frames {num_frames} and {first} first frames; wanted more frames than are given; ask for "
                f"{first + self.tokenizer.temporal_stride} in all, for instance"
            )
        frames = [] if stream.tokens is None else [self.decode(stream.tokens)]
        frames += [stream.advance().frames.cpu() for _ in range(length - given)]
        assert stream.tokens is not None
        return Clip(torch.cat(frames), stream.tokens, self.fps, prompt, seed)

    def stream(
        self,
        prompt: str,
        seed: int = 0,
        params: SamplingParams | None = None,
        first_frames: Tensor | None = None,
    ) -> Stream:
        """Starts an endless stream of frames; arguments as for `generate`. With `first_frames` it begins after them."""
        state = self.init_state(prompt, seed, params or SamplingParams())
        tokens = None if first_frames is None else self.prefill(state, first_frames)
        return Stream(self, state, tokens)

    def init_state(self, prompt: str, seed: int, params: SamplingParams) -> GeneratorState:
        """The state before the first latent frame."""
        frame_shape = self.lm.config.frame_shape
        check_block_length(params.tokens_per_forward(frame_shape), frame_shape)
        previous = torch.full((1, self.lm.frame_length), -1)
        previous[:, -1] = self.lm.start_id
        return GeneratorState(
            lm=self.lm.init_state(2 if params.guided else 1),
            decoder=self.tokenizer.init_decoder_state(1, *frame_shape),
            previous=previous.to(self.device),
            prompts=self.encode_prompt(prompt, params),
            prompt=prompt,
            latent_index=0,
            seed=seed,
            params=params,
        )

    @torch.inference_mode()
    def encode_prompt(self, prompt: str, params: SamplingParams) -> PromptMemory:
        """The prompt's keys and values, with the null prompt's in a second row where guided."""
        limit = self.lm.config.max_prompt_length
        self.text_tokenizer.encode(prompt, limit)  # an empty prompt is an error here, and not the null prompt
        ids = self.text_tokenizer.batch([prompt, ""] if params.guided else [prompt], limit)[:, None].to(self.device)
        return self.lm.encode_prompts(ids, ids != self.text_tokenizer.pad_id)

    @torch.inference_mode()
    def prefill(self, state: GeneratorState, frames: Tensor) -> Tensor:
        """Takes given frames, uint8 `[T, H, W, 3]`, into a fresh state; returns their tokens `[T, H, W]`.

        Raises:
            ValueError: Length or size do not fit.
        """
        if frames.shape[1:3] != (self.height, self.width):
            raise ValueError(
                f"got first frames of {frames.shape[1]}x{frames.shape[2]} pixels; wanted {self.height}x{self.width}, the size "
                "this model was trained on; read them with `read_video(path, size=...)`"
            )
        tokens = self.tokenizer.encode(to_video(frames)[None].to(self.device))
        block_length = state.params.tokens_per_forward(self.lm.config.frame_shape)
        inputs = shift_tokens(tokens, block_length, self.lm.start_id)
        self.lm(inputs.expand(state.prompts.keys.shape[0], -1), state.prompts, block_length, state.lm)
        self.tokenizer.decode(tokens, state.decoder)
        state.previous = to_sequence(tokens[:, -1:])
        state.latent_index = tokens.shape[1]
        return tokens[0]

    @torch.inference_mode()
    def step(self, state: GeneratorState) -> Step:
        """Makes the next latent frame and decodes it."""
        tokens = self.predict_frame(state)
        video = self.tokenizer.decode(tokens, state.decoder)
        return Step(tokens[0, 0], to_frames(video)[0])

    @torch.inference_mode()
    def predict_frame(self, state: GeneratorState) -> Tensor:
        """Chooses the tokens of the next latent frame, int64 `[1, 1, H, W]`."""
        config, frame = self.lm.config, self.lm.frame_length
        block_length = state.params.tokens_per_forward(config.frame_shape)
        stride = block_length if state.latent_index else 1
        uniforms = stream_uniforms(state.seed, state.latent_index, frame)[None].to(self.device)
        known = torch.cat([state.previous, torch.full_like(state.previous, -1)], dim=1)
        for start in range(frame, 2 * frame, stride):
            inputs = known[:, start - stride : start].expand(state.prompts.keys.shape[0], -1)
            hidden = self.lm(inputs, state.prompts, block_length, state.lm).hidden
            choose = Chooser(state.params, uniforms[:, start - frame : start - frame + stride])
            known[:, start : start + stride] = self.lm.vocabulary.sample(hidden, choose)
        state.previous = known[:, frame:]
        state.latent_index += 1
        return state.previous.unflatten(1, (1, *config.frame_shape))

    @torch.inference_mode()
    def decode(self, tokens: Tensor) -> Tensor:
        """Frames uint8 `[T, H, W, 3]` of tokens `[T, H, W]`, latent frame by latent frame in constant memory."""
        state = self.tokenizer.init_decoder_state(1, *tokens.shape[1:])
        pieces = [to_frames(self.tokenizer.decode(piece[None].to(self.device), state))[0] for piece in tokens.split(1)]
        return torch.cat(pieces).cpu()


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
