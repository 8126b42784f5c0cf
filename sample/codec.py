"""`VideoCodec`: videos to tokens and back, piece by piece, whatever their length."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from math import inf, nextafter

import torch
from torch import Tensor

from ..data import to_frames, to_video
from ..data.kinds import real, whole
from ..stride import Stride
from ..tokenizer import DecoderState, EncoderState, VideoTokenizer
from .given import Frames, Tokens, as_frames, as_tokens
from .kernels import prepared
from .packing import fingerprint
from .params import SamplingParams
from .token_header import TokenHeader, describe_tokens

Through = Callable[[Sequence[Tensor]], Iterable[Tensor]]
"""Hands pieces of work on, one after the other."""

_ENCODED_AT_ONCE = 8  # latent frames
_NOTES = {"SpriteWorld": "the world wraps around: what leaves at one edge comes back at the opposite one"}


class VideoCodec:
    """A video tokenizer for frames of one size.

    The codec computes with a copy of the network that shares the weights. So the caller's network stays as it is.

    Args:
        tokenizer: Pixels to tokens and back.
        height: Rows of a frame in pixels.
        width: Columns of a frame in pixels.
        fps: Frames per second.
        name: What a person calls it; the name of its bundle.
        trained_on: Where the clips of its training came from, such as "SpriteWorld", if that is known.

    Attributes:
        stride: How frames and latent frames are counted.
        frame_shape: Rows and columns of tokens of a latent frame.

    Raises:
        ValueError: The size is not one that the tokenizer takes, or a number is out of its range.
    """

    def __init__(
        self, tokenizer: VideoTokenizer, height: int, width: int, fps: float, name: str = "unnamed", trained_on: str = ""
    ):
        self.height, self.width = (whole("a side", side, 1, inf, "a whole number of pixels") for side in (height, width))
        self.fps = float(real("fps", fps, nextafter(0, 1), sys.float_info.max, "a number above 0"))
        self.name, self.trained_on = name, trained_on
        self.frame_shape = tokenizer.frame_shape(self.height, self.width)
        self.tokenizer = prepared(tokenizer)

    @property
    def stride(self) -> Stride:
        """How frames and latent frames are counted."""
        return self.tokenizer.stride

    @property
    def device(self) -> torch.device:
        """Where the tokenizer is."""
        return next(self.tokenizer.parameters()).device

    @property
    def note(self) -> str:
        """What a person should know who looks at videos of its kind; "" if there is nothing to say."""
        return _NOTES.get(self.trained_on, "")

    @cached_property
    def hash(self) -> str:
        """sha256 of the tokenizer's weights: what tells its tokens from those of others."""
        return fingerprint(self.tokenizer)

    def encode(self, frames: Frames, through: Through = iter) -> Tensor:
        """Tokens int64 `[T, H, W]` of frames uint8 `[T, H, W, 3]`, T = `1 + temporal_stride * k`; in constant memory.

        The frames may have any form of `Frames`: see `as_frames`. The pieces of the work go `through` something that shows how
        far it is.

        Raises:
            ValueError: Length, size or values do not fit.
        """
        frames = self._checked(as_frames(frames, (self.height, self.width), self.fps))
        state = self.tokenizer.init_encoder_state(1, self.height, self.width)
        pieces = frames.split(_ENCODED_AT_ONCE * self.stride.frames)
        return torch.cat([self._encode_piece(piece, state) for piece in through(pieces)])

    def decode(self, tokens: Tokens, through: Through = iter) -> Tensor:
        """Frames uint8 `[T, H, W, 3]` on the CPU of tokens `[T, H, W]`; latent frame by latent frame in constant memory.

        Raises:
            ValueError: The tokens are not those of a video of this size and this tokenizer.
        """
        tokens = as_tokens(tokens, self.tokenizer.codebook_size)
        state = self.tokenizer.init_decoder_state(1, *tokens.shape[1:])
        return torch.cat([self.decode_frame(piece, state) for piece in through(tokens.split(1))]).cpu()

    def decode_pieces(self, tokens: Tensor, at_once: int) -> Iterator[Tensor]:
        """As `decode`, so many latent frames at a time; each piece is computed when it is asked for."""
        state = self.tokenizer.init_decoder_state(1, *tokens.shape[1:])
        for piece in tokens.split(at_once):
            yield torch.cat([self.decode_frame(latent, state) for latent in piece.split(1)]).cpu()

    @torch.inference_mode()
    def decode_frame(self, tokens: Tensor, state: DecoderState) -> Tensor:
        """Frames uint8 `[T, H, W, 3]` of the next latent frame, int64 `[1, H, W]`, on the codec's device; updates the state."""
        return self.decode_batch(tokens[None].to(self.device), state)[0]

    @torch.inference_mode()
    def decode_batch(self, tokens: Tensor, state: DecoderState) -> Tensor:
        """As `decode_frame` for several videos: int64 `[B, 1, H, W]` -> uint8 `[B, T, H, W, 3]`."""
        return to_frames(self.tokenizer.decode(tokens, state))

    def header(self, seed: int | None = None, params: SamplingParams | None = None) -> TokenHeader:
        """What a token file says of its tokens, or if there is no seed, of a video that was encoded."""
        return describe_tokens(self.tokenizer, self.name, (self.height, self.width), self.fps, seed, params)

    @torch.inference_mode()
    def _encode_piece(self, frames: Tensor, state: EncoderState) -> Tensor:
        return self.tokenizer.encode(to_video(frames)[None].to(self.device), state)[0]

    def _checked(self, frames: Tensor) -> Tensor:
        if frames.shape[1:3] != (self.height, self.width):
            raise ValueError(
                f"got first frames of {frames.shape[1]}x{frames.shape[2]} pixels; wanted {self.height}x{self.width}, the size "
                "this model was trained on; read them with `read_video(path, size=...)`, or fit them with "
                f"`framecast.data.fit_frames(frames, ({self.height}, {self.width}))`"
            )
        self.stride.num_latent_frames(frames.shape[0])
        return frames
