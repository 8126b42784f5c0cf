"""How well a tokenizer shows a video, and a warning if it was made for others.

A tokenizer that was trained on drawn sprites gets 24 to 44 dB on sprites, and 14 to 22 dB on clips from cameras.
"""

import warnings

import torch
from torch import Tensor

from ..notices import Notice
from .codec import VideoCodec
from .given import Frames, as_frames

_LEAST = {"SpriteWorld": 22.0}  # dB
_LEAST_OF_OTHERS = 18.0  # small tokenizers of real video get 22 to 26 dB on what they know
_MEASURED_FRAMES = 17


class UnfamiliarVideoWarning(Notice):
    """A video that the tokenizer was not trained to show; the model goes on from the little that its tokens keep."""


def fidelity(codec: VideoCodec, frames: Frames) -> float:
    """PSNR in dB of a video's first frames, at most 17, beside what their tokens decode to.

    Args:
        codec: Encodes and decodes.
        frames: In any form that `VideoCodec.encode` takes, and of any length.
    """
    measured = as_frames(frames, (codec.height, codec.width), codec.fps)[:_MEASURED_FRAMES]
    measured = measured[: codec.stride.trimmed(len(measured))]
    return psnr(measured, codec.decode(codec.encode(measured)))


def psnr(frames: Tensor, decoded: Tensor) -> float:
    """PSNR in dB between two videos, uint8 `[T, H, W, 3]`."""
    error = (frames.cpu().float() - decoded.cpu().float()).square().mean()
    return (20 * torch.log10(torch.tensor(255.0)) - 10 * torch.log10(error)).item()


def unfamiliar(codec: VideoCodec, decibels: float) -> str | None:
    """What to say of a video that is shown with so many dB, if the tokenizer was made for others; or else `None`."""
    if decibels >= _LEAST.get(codec.trained_on, _LEAST_OF_OTHERS):
        return None
    others = codec.trained_on if codec.trained_on in _LEAST else "other videos"
    return (
        f"the tokenizer of this model shows this video with {decibels:.0f} dB: it was trained on {others}; train one on your own "
        "videos: framecast train my_videos"
    )


def warn_of_unfamiliar(codec: VideoCodec, frames: Frames, decibels: float | None = None) -> None:
    """Warns if a video is one that the tokenizer was not trained to show; `decibels` are its fidelity, if that is known.

    Warns:
        UnfamiliarVideoWarning: It is; the message says how well it is shown, and what to do.
    """
    message = unfamiliar(codec, fidelity(codec, frames) if decibels is None else decibels)
    if message is not None:
        warnings.warn(message, UnfamiliarVideoWarning, stacklevel=4)
