"""`VideoTokenizer`: video to discrete spacetime tokens and back, offline or streaming by a state of the caller."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn

from ..state import State, States
from ..stride import Stride
from .config import VideoTokenizerConfig
from .network import Decoder, Encoder
from .quantizer import Quantized, Quantizer


@dataclass
class EncoderState(State):
    """What the encoder keeps between chunks of one video.

    Attributes:
        pending: `[B, 3, n, H, W]`, frames that do not fill a group of `temporal_stride` yet.
        started: Whether the first frame has come.
        network: The state of the causal network.
    """

    pending: Tensor
    started: bool
    network: States


@dataclass
class DecoderState(State):
    """What the decoder keeps between latent frames of one video.

    Attributes:
        started: Whether the first latent frame has come.
        network: The state of the causal network.
    """

    started: bool
    network: States


@dataclass(frozen=True)
class TokenizerOutput:
    """A training pass: `video` is the reconstruction `[B, 3, T, H, W]`, not clamped."""

    video: Tensor
    quantized: Quantized


class VideoTokenizer(nn.Module):
    """A causal 3D VQ tokenizer, factorised into spatial convolutions and causal temporal mixing.

    `1 + temporal_stride * k` frames become `1 + k` latent frames, for every k >= 0: an image is a clip of one frame. The
    network itself sees whole groups only; the first frame is repeated in front of it and dropped after decoding.

    Args:
        config: Shape of the network.
        quantizer: Turns latents of width `quantizer.dim` into tokens below `quantizer.codebook_size`.
    """

    def __init__(self, config: VideoTokenizerConfig, quantizer: Quantizer):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, quantizer.dim)
        self.quantizer = quantizer
        self.decoder = Decoder(config, quantizer.dim)

    @property
    def temporal_stride(self) -> int:
        """Frames per latent frame."""
        return self.config.temporal_stride

    @property
    def stride(self) -> Stride:
        """How frames and latent frames are counted."""
        return Stride(self.temporal_stride)

    @property
    def spatial_stride(self) -> int:
        """Pixels per token, along rows and along columns."""
        return self.config.spatial_stride

    @property
    def codebook_base(self) -> int:
        """Where a large vocabulary cuts a token in two, `high * codebook_base + low`, so that either part has a meaning."""
        return self.quantizer.codebook_base

    @property
    def codebook_size(self) -> int:
        """Number of different tokens, V."""
        return self.quantizer.codebook_size

    def frame_shape(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of tokens of a `height` x `width` picture.

        Raises:
            ValueError: The size is not a positive multiple of the spatial stride.
        """
        stride = self.spatial_stride
        if height < stride or width < stride or height % stride or width % stride:
            raise ValueError(
                f"got frames of {height}x{width} pixels; wanted multiples of {stride}, the tokenizer's spatial stride; "
                f"crop or resize to {max(height // stride, 1) * stride}x{max(width // stride, 1) * stride}"
            )
        return height // stride, width // stride

    def num_latent_frames(self, num_frames: int) -> int:
        """Latent frames of a video of `num_frames` frames.

        Raises:
            ValueError: `num_frames` is not a whole number `1 + temporal_stride * k`.
        """
        return self.stride.num_latent_frames(num_frames)

    def num_frames(self, num_latent_frames: int) -> int:
        """Frames of a video of `num_latent_frames` latent frames."""
        return self.stride.num_frames(num_latent_frames)

    def init_encoder_state(self, batch_size: int, height: int, width: int) -> EncoderState:
        """The state before the first frame; `height` and `width` in pixels."""
        self.frame_shape(height, width)
        pending = self.encoder.head.weight.new_zeros(batch_size, 3, 0, height, width)
        return EncoderState(pending, started=False, network=self.encoder.init_state(batch_size, height, width))

    def init_decoder_state(self, batch_size: int, height: int, width: int) -> DecoderState:
        """The state before the first latent frame; `height` and `width` in tokens."""
        return DecoderState(started=False, network=self.decoder.init_state(batch_size, height, width))

    def encode(self, video: Tensor, state: EncoderState | None = None) -> Tensor:
        """Tokens of a video, or of the next chunk of one.

        Args:
            video: `[B, 3, T, H, W]` in [-1, 1]. Without a state T is `1 + temporal_stride * k`; with one any chunk will do, and
                frames that do not fill a latent frame yet wait in the state.
            state: Where the video stands; updated.

        Returns:
            int64 `[B, T, H, W]` on the latent grid, in [0, codebook_size). T can be 0 for a short chunk.

        Raises:
            ValueError: Shape, size, dtype, range or length are not as above.
        """
        self._check_video(video)
        if state is None:
            self.num_latent_frames(video.shape[2])
            state = self.init_encoder_state(video.shape[0], *video.shape[3:])
        groups = self._whole_groups(video, state)
        if groups.shape[2] == 0:
            return torch.empty(groups.shape[0], 0, *self.frame_shape(*groups.shape[3:]), dtype=torch.int64, device=video.device)
        tokens: Tensor = self.quantizer(self._encode_groups(groups, state.network)).tokens
        return tokens

    def decode(self, tokens: Tensor, state: DecoderState | None = None) -> Tensor:
        """The video of tokens, or the next frames of one.

        Args:
            tokens: int `[B, T, H, W]` in [0, codebook_size), T >= 1.
            state: Where the video stands; updated. `None` starts a new one.

        Returns:
            `[B, 3, frames, H, W]`, about [-1, 1] and not clamped: one frame for the first latent frame of a video and
            `temporal_stride` frames for every other.

        Raises:
            ValueError: Shape, dtype or range of the tokens are not as above.
        """
        self._check_tokens(tokens)
        state = state or self.init_decoder_state(tokens.shape[0], *tokens.shape[2:])
        video = self._decode_latents(self.quantizer.tokens_to_latents(tokens), state.network)
        first = 0 if state.started else self.temporal_stride - 1
        state.started = True
        return video[:, :, first:]

    def forward(self, video: Tensor, disturb: Callable[[Quantized], Tensor] | None = None) -> TokenizerOutput:
        """Reconstructs `video` `[B, 3, T, H, W]` in [-1, 1], T = `1 + temporal_stride * k`, with gradients.

        `disturb` gives the latents `[B, T, H, W, D]` that are decoded in the place of the quantized ones.
        """
        self._check_video(video)
        self.num_latent_frames(video.shape[2])
        quantized = self.quantizer(self._encode_groups(self._repeat_first(video), None))
        latents = quantized.latents if disturb is None else disturb(quantized)
        video = self._decode_latents(latents, None)[:, :, self.temporal_stride - 1 :]
        return TokenizerOutput(video, quantized)

    def _repeat_first(self, video: Tensor) -> Tensor:
        return torch.cat([video[:, :, :1]] * (self.temporal_stride - 1) + [video], dim=2)

    def _whole_groups(self, video: Tensor, state: EncoderState) -> Tensor:
        """The frames that fill groups of `temporal_stride` now; the others stay in the state."""
        if video.shape[2] and not state.started:
            video, state.started = self._repeat_first(video), True
        frames = torch.cat([state.pending.to(video), video], dim=2)
        whole = frames.shape[2] // self.temporal_stride * self.temporal_stride
        state.pending = frames[:, :, whole:]
        return frames[:, :, :whole]

    def _encode_groups(self, video: Tensor, state: States | None) -> Tensor:
        latents: Tensor = self.encoder(rearrange(video, "b c t h w -> b t h w c").contiguous(), state)
        return latents

    def _decode_latents(self, latents: Tensor, state: States | None) -> Tensor:
        video: Tensor = rearrange(self.decoder(latents, state), "b t h w c -> b c t h w")
        return video

    def _check_video(self, video: Tensor) -> None:
        if video.ndim != 5 or video.shape[1] != 3 or not video.is_floating_point():
            raise ValueError(
                f"got a video of shape {list(video.shape)} and dtype {video.dtype}; wanted float [B, 3, T, H, W] in [-1, 1]; "
                "uint8 frames become one with `framecast.data.to_video`"
            )
        self.frame_shape(*video.shape[3:])
        low, high = (bound.item() for bound in video.detach().aminmax()) if video.numel() else (0.0, 0.0)
        if not -1.001 <= low <= high <= 1.001:
            raise ValueError(f"got a video with values from {low:g} to {high:g}; wanted [-1, 1]; scale or clamp it first")

    def _check_tokens(self, tokens: Tensor) -> None:
        if tokens.ndim != 4 or tokens.shape[1] == 0 or tokens.is_floating_point() or tokens.dtype == torch.bool:
            raise ValueError(
                f"got tokens of shape {list(tokens.shape)} and dtype {tokens.dtype}; wanted int64 [B, T, H, W] with T >= 1"
            )
        low, high = tokens.min().item(), tokens.max().item()
        if low < 0 or high >= self.codebook_size:
            raise ValueError(
                f"got tokens from {low} to {high}; wanted 0 to {self.codebook_size - 1}, the tokenizer's codebook; "
                "these tokens were made by another tokenizer or are damaged"
            )


def pad_frames(video: Tensor, temporal_stride: int) -> Tensor:
    """`video` `[B, C, T, H, W]` with its last frame repeated until T is `1 + temporal_stride * k`."""
    missing = Stride(temporal_stride).missing(video.shape[2])
    return torch.cat([video, video[:, :, -1:].expand(-1, -1, missing, -1, -1)], dim=2)
