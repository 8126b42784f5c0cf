"""`VideoGenerator`: prompt and seed to frames; `stream` yields what is stepped, `generate` collects it."""

from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor

from ..model import VideoLM
from ..tokenizer import TextTokenizer, VideoTokenizer
from .batch import StreamBatch
from .clip import Clip
from .codec import VideoCodec
from .collect import collect, collect_batch
from .given import Picture
from .params import SamplingParams
from .prompts import Prompt, is_batch
from .snapshot import unpack_snapshot
from .stepper import Stepper
from .stream import Stream

_CLIPS_AT_ONCE = 8


class VideoGenerator:
    """Generates video from a prompt and a seed.

    The networks stay as they are. On a CPU it keeps their weights a second time, as its kernels want them.

    Args:
        tokenizer: Tokens to pixels, and pixels to tokens for clips to continue.
        lm: Tokens to next tokens.
        text_tokenizer: Prompts to ids.
        height: Rows of a frame in pixels.
        width: Columns of a frame in pixels.
        fps: Frames per second of the videos the LM was trained on.
        name: What a person calls it; the name of its bundle.
        compile: Whether the video LM is compiled, in a copy, see `compile_lm`.

    Attributes:
        stepper: Makes the latent frames of streams.
        codec: Videos to tokens and back.
        tokenizer: That of the codec: a copy that shares the weights.
        lm: That of the stepper: a copy that shares the weights, unless it is compiled.

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
        self.codec = codec = VideoCodec(tokenizer, height, width, fps, name)
        self.stepper = Stepper(codec, lm, text_tokenizer, compile)
        self.tokenizer, self.lm, self.text_tokenizer = codec.tokenizer, self.stepper.lm, text_tokenizer
        self.height, self.width, self.fps, self.name = codec.height, codec.width, codec.fps, codec.name
        self.encode, self.decode, self.token_header = codec.encode, codec.decode, codec.header

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.stepper.device

    @property
    def hashes(self) -> dict[str, str]:
        """What tells these networks from others: `tokenizer` and `lm`, sha256 of their weights, and `text` of the pieces."""
        return self.stepper.hashes

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
        length = self.codec.stride.num_latent_frames(num_frames)
        given = None if first_frames is None else self.codec.encode(first_frames)
        if given is not None and length <= len(given):
            first, more = (self.codec.stride.num_frames(len(given) + n) for n in (0, 1))
            raise ValueError(
                f"got num_frames {num_frames} and {first} first frames; wanted more frames than are given; ask for "
                f"{more} in all, for instance"
            )
        past = [] if given is None else [self.codec.decode(given)]
        if not is_batch(prompt):
            return collect(self.stream(prompt, seed, params, first_tokens=given), length, past)
        for one in prompt:  # that every prompt can be taken is known before the first clip is made
            self.stepper.check_prompt(one)
        clips = []
        for start in range(0, len(prompt), _CLIPS_AT_ONCE):
            streams = [self.stream(one, seed, params, first_tokens=given) for one in prompt[start : start + _CLIPS_AT_ONCE]]
            clips += collect_batch(StreamBatch(self, len(streams), any(s.guided for s in streams)), streams, length, past)
        return clips

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
            first_tokens = self.codec.encode(first_frames)
        state = self.stepper.init_state(prompt, seed, params or SamplingParams(), reanchor_every)
        if first_tokens is None:
            return Stream(self.stepper, state, torch.empty(0, *self.codec.frame_shape))
        prompts = [(0, state.prompt), *((later.start, later.text) for later in state.upcoming if later.start < len(first_tokens))]
        self.stepper.prefill(state, first_tokens)
        return Stream(self.stepper, state, first_tokens, prompts)

    def restore(self, snapshot: bytes) -> Stream:
        """The stream of a snapshot, which goes on token for token, in any process.

        Raises:
            SnapshotError: It is damaged, or was made by other networks.
        """
        moment = unpack_snapshot(snapshot, self.stepper)
        return Stream(self.stepper, moment.state, moment.tokens, moment.prompts, moment.pending)
