"""`VideoGenerator`: prompt and seed to frames; `stream` yields what is stepped, `generate` collects it."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack, overload

from torch import Tensor

from ..data.actions import ActionSpace
from ..model import VideoLM
from ..tokenizer import TextTokenizer, VideoTokenizer
from .beginning import given_tokens, one_picture, params_of, prompt_of
from .clip import Clip
from .codec import VideoCodec
from .collect import make_clips
from .fidelity import fidelity
from .fixed import Fixed
from .given import Frames, Given, Tokens
from .packing import millions
from .params import SamplingParams
from .placing import Device, Dtype, as_place
from .plan import Actions, first_actions_of
from .progress import Progress
from .prompts import Prompt
from .replay import Replay, replay
from .settings import Params, Settings, as_params
from .snapshot import unpack_snapshot
from .starts import Start
from .stepper import Stepper
from .stream import Stream
from .token_file import read_tokens


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
        trained_on: Where the clips of its training came from, such as "SpriteWorld", if that is known.
        action_space: What can be done in its world, if the video LM knows actions.
        starts: First frames from which its world can begin.
        params: How tokens are chosen unless a call says it; `None` takes the defaults of `SamplingParams`.
        caption: What all videos of its training showed, in the words of their captions, which a video shows here too if nobody
            says another prompt. "" if the training had no captions: then the null prompt is all that the model knows. `None` if
            the captions differ, or if nobody knows them.

    Attributes:
        codec: Videos to tokens and back, by a copy of the tokenizer that shares its weights.
        stepper: Makes the latent frames of streams, by a copy of the video LM.
        device: Where the networks are.
        dtype: Precision of the video LM.

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
        trained_on: str = "",
        action_space: ActionSpace | None = None,
        starts: Sequence[Start] = (),
        params: Params = None,
        caption: str | None = None,
    ):
        self.codec = codec = VideoCodec(tokenizer, height, width, fps, name, trained_on)
        self.stepper = Stepper(codec, lm, text_tokenizer, compile, action_space, as_params(params))
        self.action_space, self.starts, self.caption = action_space, tuple(starts), caption
        self.tokenizer, self.lm, self.text_tokenizer = codec.tokenizer, self.stepper.lm, text_tokenizer
        self.height, self.width, self.fps, self.name = codec.height, codec.width, codec.fps, codec.name
        self.device, self.dtype = self.stepper.device, self.lm.places.weight.dtype

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {millions(net)}" for name, net in (("tokenizer", self.tokenizer), ("LM", self.lm)))
        return f"VideoGenerator({self.name!r}, {self.height}x{self.width}, {self.fps:g} frames/s, {sizes}, on {self.device})"

    @property
    def params(self) -> SamplingParams:
        """How tokens are chosen unless a call says it."""
        return self.stepper.params

    @property
    def hashes(self) -> dict[str, str]:
        """What tells these networks from others: `tokenizer` and `lm`, sha256 of their weights, and `text` of the pieces."""
        return self.stepper.hashes

    def to(self, *place: Device | Dtype, device: Device | None = None, dtype: Dtype | None = None) -> "VideoGenerator":
        """This generator elsewhere, or in another precision: `to("cuda")`, `to("bfloat16")`, `to("cuda", torch.bfloat16)`.

        This one stays as it is; the other shares what is the same. The tokenizer computes in float32 always.

        Raises:
            ValueError: There is no such device here, or it is no precision.
        """
        to_device, to_dtype = as_place(place, device, dtype)
        to_device, to_dtype = to_device or self.device, to_dtype or self.dtype
        if (to_device, to_dtype) == (self.device, self.dtype):
            return self
        tokenizer = self.tokenizer if to_device == self.device else copy.deepcopy(self.tokenizer).to(to_device)
        parts = (tokenizer, copy.deepcopy(self.lm).to(to_device, to_dtype), self.text_tokenizer)
        shape = (self.height, self.width, self.fps)
        world: Any = {"action_space": self.action_space, "starts": self.starts, "params": self.params, "caption": self.caption}
        return VideoGenerator(*parts, *shape, self.name, self.stepper.compiled, self.codec.trained_on, **world)

    def encode(self, frames: Frames) -> Tensor:
        """Tokens int64 `[T, H, W]` of frames, see `VideoCodec.encode`."""
        return self.codec.encode(frames)

    def decode(self, tokens: Tokens) -> Tensor:
        """Frames uint8 `[T, H, W, 3]` of tokens int64 `[T, H, W]`, see `VideoCodec.decode`."""
        return self.codec.decode(tokens)

    def fidelity(self, frames: Frames) -> float:
        """PSNR in dB of frames beside what their tokens keep of them, see `framecast.sample.fidelity`."""
        return fidelity(self.codec, frames)

    @overload
    def generate(
        self,
        prompt: Prompt | None = None,
        num_frames: int = 33,
        seed: int = 0,
        params: Params = None,
        first_frames: Given = None,
        first_tokens: Tokens | None = None,
        progress: Progress = None,
        actions: Actions | None = None,
        first_actions: Any = None,
        start: str | int | Start | None = None,
        **settings: Unpack[Settings],
    ) -> Clip: ...

    @overload
    def generate(
        self,
        prompt: list[str],
        num_frames: int = 33,
        seed: int = 0,
        params: Params = None,
        first_frames: Given = None,
        first_tokens: Tokens | None = None,
        progress: Progress = None,
        actions: Actions | None = None,
        first_actions: Any = None,
        start: str | int | Start | None = None,
        **settings: Unpack[Settings],
    ) -> list[Clip]: ...

    def generate(
        self,
        prompt: Any = None,
        num_frames: int = 33,
        seed: int = 0,
        params: Params = None,
        first_frames: Given = None,
        first_tokens: Tokens | None = None,
        progress: Progress = None,
        actions: Actions | None = None,
        first_actions: Any = None,
        start: str | int | Start | None = None,
        **settings: Unpack[Settings],
    ) -> Clip | list[Clip]:
        """Makes a clip: the collected stream.

        Args:
            prompt: What the video shows, as for `stream`. A list of prompts makes a list of clips, each as it would be alone.
            num_frames: Length of the clip, `1 + temporal_stride * k`, with `first_frames` included.
            seed: The same seed, prompt and settings give the same tokens.
            params: How tokens are chosen: `SamplingParams`, or a dict of its values; `None` takes `self.params`.
            first_frames: Frames to continue, in a form of `Frames`: a picture, a video, the path of either, a clip, arrays.
                `1 + temporal_stride * k` frames and fewer than `num_frames`. See `as_frames` for what is resized.
            first_tokens: int `[T, H, W]`, the same as tokens, such as those of another clip.
            progress: True shows a bar; a function is called with the frames that are done and the frames in all.
            actions: What is done in the frames to come, as for `stream`.
            first_actions: What was done in the given frames, as for `stream`.
            start: One of `starts` to go on from, as for `stream`.
            **settings: Values of `SamplingParams` by name, in place of `params`, such as `temperature=0.5`.

        Raises:
            ValueError: A length, size, setting or prompt is not as above.

        Warns:
            UnfamiliarVideoWarning: The tokenizer was not trained to show such frames as `first_frames`.
        """
        chosen = as_params(params, settings, self.params)
        self.codec.stride.num_latent_frames(num_frames)
        given = given_tokens(self.codec, first_frames, first_tokens, start, self.starts)
        prompt = prompt_of(prompt, start, self.starts, self.caption)
        return make_clips(self, prompt, num_frames, seed, chosen, given, progress, actions=actions, first_actions=first_actions)

    def animate(
        self,
        picture: Frames,
        prompt: Prompt | None = None,
        num_frames: int = 33,
        seed: int = 0,
        params: Params = None,
        progress: Progress = None,
        actions: Actions | None = None,
        **settings: Unpack[Settings],
    ) -> Clip:
        """Image to video: a clip that begins with a picture.

        Args:
            picture: A path, a picture of Pillow, or an array uint8 `[H, W, 3]`. Pictures and files are scaled to cover the
                model's size and cropped about the centre.
            prompt: What the video shows, as for `generate`; the other arguments are those of `generate` too.
        """
        first = one_picture(self.codec, picture)
        return self.generate(prompt, num_frames, seed, params, first, progress=progress, actions=actions, **settings)

    def stream(
        self,
        prompt: Prompt | None = None,
        seed: int = 0,
        params: Params = None,
        first_frames: Given = None,
        first_tokens: Tokens | None = None,
        reanchor_every: int | None = None,
        actions: Actions | None = None,
        first_actions: Any = None,
        start: str | int | Start | None = None,
        **settings: Unpack[Settings],
    ) -> Stream:
        """Starts an endless stream of frames.

        Args:
            prompt: What the video shows: a text, a `Timeline`, or pairs of seconds and text. A text may be a timeline too, such
                as "a red circle moves right; at 2s it stops". `None` takes the prompt of `start`, or else `caption`.
            seed: As for `generate`.
            params: As for `generate`.
            first_frames: Frames to continue, as for `generate`; the stream begins after them.
            first_tokens: int64 `[T, H, W]`, the same as tokens, such as those of another stream.
            reanchor_every: Latent frames between two renewals of the sink; `None` keeps the stream's first frame for ever.
            actions: What is done in a world, from the first frame to come on. An array `[T, A]`, a list of actions, or a text
                such as "left*8 gas*20" says it frame by frame. A dict or an array `[A]` is one action. An iterator gives, and a
                function of the stream is asked for, the action of each latent frame. Once there are no more, the last one holds.
                A video that begins has no action in its first frame: row 0 of an array says nothing, and a text begins with the
                second frame. `None` is unknown, or the last action of `first_actions`.
            first_actions: float32 `[T, A]`, what was done in the given frames, NaN where unknown; or `[T, stride, A]` for latent
                frames, as `Stream.actions` has it.
            start: The name or the number of one of `starts` to go on from.
            **settings: As for `generate`.

        Raises:
            ValueError: A length, size, setting, prompt or action is not as above.
        """
        chosen = as_params(params, settings, self.params)
        tokens = given_tokens(self.codec, first_frames, first_tokens, start, self.starts)
        prompt = prompt_of(prompt, start, self.starts, self.caption)
        state = self.stepper.init_state(prompt, seed, params_of(prompt, chosen), reanchor_every)
        known = None
        if first_actions is not None:
            if tokens is None:
                raise ValueError(
                    "got first_actions and no first frames; wanted both; `actions` says what is done in frames to come"
                )
            known = first_actions_of(self.stepper.known_space(), self.codec.stride, first_actions, len(tokens))
        past = self.stepper.no_past() if tokens is None else self.stepper.prefill(state, tokens, known)
        stream = Stream(self.stepper, state, past)
        if actions is not None:
            stream.plan(actions)
        return stream

    def restore(self, snapshot: bytes) -> Stream:
        """The stream of a snapshot, which goes on token for token, in any process.

        Raises:
            SnapshotError: It is damaged, or was made by other networks.
        """
        return Stream(self.stepper, *unpack_snapshot(snapshot, self.stepper))

    def replay(self, file: str | Path, progress: Progress = None) -> Replay:
        """Makes the video of a token file again, and compares every token.

        Args:
            file: What `Stream.record` or `framecast stream` wrote, also if it is still being written.
            progress: As for `generate`.

        Raises:
            ValueError: It is no token file, a video that was encoded, or one of other networks; the message says which.
        """
        return replay(self.stepper, read_tokens(file), progress)
