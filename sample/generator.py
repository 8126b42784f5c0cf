"""`VideoGenerator`: prompt and seed to frames; `stream` yields what is stepped, `generate` collects it."""

from functools import partial
from typing import Any, overload

import torch
from torch import Tensor

from ..model import VideoLM
from ..tokenizer import TextTokenizer, VideoTokenizer
from .clip import Clip
from .codec import VideoCodec
from .collect import check_longer, collect, collect_batch, in_batches
from .fixed import Fixed
from .given import Frames, Given
from .packing import millions
from .params import SamplingParams
from .prompts import Prompt, is_batch
from .snapshot import unpack_snapshot
from .stepper import Stepper
from .stream import Stream


class VideoGenerator(Fixed):
    """Generates video from a prompt and a seed. On a CPU it keeps the weights a second time, as a CPU's kernels want them.

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
        codec: Videos to tokens and back, by a copy of the tokenizer that shares its weights.
        stepper: Makes the latent frames of streams, by a copy of the video LM.
        device: Where the networks are.

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
        self.device = self.stepper.device

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {millions(net)}" for name, net in (("tokenizer", self.tokenizer), ("LM", self.lm)))
        return f"VideoGenerator({self.name!r}, {self.height}x{self.width}, {self.fps:g} frames/s, {sizes}, on {self.device})"

    @property
    def hashes(self) -> dict[str, str]:
        """What tells these networks from others: `tokenizer` and `lm`, sha256 of their weights, and `text` of the pieces."""
        return self.stepper.hashes

    def encode(self, frames: Frames) -> Tensor:
        """Tokens int64 `[T, H, W]` of frames, see `VideoCodec.encode`."""
        return self.codec.encode(frames)

    def decode(self, tokens: Tensor) -> Tensor:
        """Frames uint8 `[T, H, W, 3]` of tokens int64 `[T, H, W]`, see `VideoCodec.decode`."""
        return self.codec.decode(tokens)

    @overload
    def generate(
        self, prompt: Prompt, num_frames: int, seed: int = 0, params: SamplingParams | None = None, first_frames: Given = None
    ) -> Clip: ...

    @overload
    def generate(
        self, prompt: list[str], num_frames: int, seed: int = 0, params: SamplingParams | None = None, first_frames: Given = None
    ) -> list[Clip]: ...

    def generate(
        self, prompt: Any, num_frames: int, seed: int = 0, params: SamplingParams | None = None, first_frames: Given = None
    ) -> Clip | list[Clip]:
        """Makes a clip: the collected stream.

        Args:
            prompt: What the video shows, as for `stream`. A list of prompts makes a list of clips, each as it would be alone.
            num_frames: Length of the clip, `1 + temporal_stride * k`, with `first_frames` included.
            seed: The same seed, prompt and settings give the same tokens.
            params: How tokens are chosen; `None` takes the defaults.
            first_frames: A clip to continue, in a form of `Frames`; `1 + temporal_stride * k` frames and fewer than `num_frames`.

        Raises:
            ValueError: A length, size or prompt is not as above.
        """
        length = self.codec.stride.num_latent_frames(num_frames)
        given = None if first_frames is None else self.encode(first_frames)
        check_longer(num_frames, given, self.codec.stride)
        past = [] if given is None else [self.decode(given)]
        begin = partial(self.stream, seed=seed, params=params, first_tokens=given)
        if not is_batch(prompt):
            return collect(begin(prompt), length, past)
        for one in prompt:  # that every prompt can be taken is known before the first clip is made
            self.stepper.check_prompt(one)
        return [clip for some in in_batches(prompt) for clip in collect_batch(self, [begin(one) for one in some], length, past)]

    def stream(
        self,
        prompt: Prompt,
        seed: int = 0,
        params: SamplingParams | None = None,
        first_frames: Given = None,
        first_tokens: Tensor | None = None,
        reanchor_every: int | None = None,
    ) -> Stream:
        """Starts an endless stream of frames.

        Args:
            prompt: What the video shows: a text, a `Timeline`, or pairs of seconds and text. A text may be a timeline too, such
                as "a red circle moves right; at 2s it stops".
            seed: As for `generate`.
            params: As for `generate`.
            first_frames: A clip to continue, as for `generate`; the stream begins after it.
            first_tokens: int64 `[T, H, W]`, the same as tokens, such as those of another stream.
            reanchor_every: Latent frames between two renewals of the sink; `None` keeps the stream's first frame for ever.

        Raises:
            ValueError: A length, size or prompt is not as above.
        """
        if first_frames is not None and first_tokens is not None:
            raise ValueError("got first_frames and first_tokens; wanted one of them: both say how the video begins")
        tokens = first_tokens if first_frames is None else self.encode(first_frames)
        state = self.stepper.init_state(prompt, seed, params or SamplingParams(), reanchor_every)
        if tokens is None:
            return Stream(self.stepper, state, torch.empty(0, *self.codec.frame_shape))
        return Stream(self.stepper, state, tokens, self.stepper.prefill(state, tokens))

    def restore(self, snapshot: bytes) -> Stream:
        """The stream of a snapshot, which goes on token for token, in any process.

        Raises:
            SnapshotError: It is damaged, or was made by other networks.
        """
        return Stream(self.stepper, *unpack_snapshot(snapshot, self.stepper))
