"""How a video begins: with nothing, or with frames or tokens that a person gives."""

from pathlib import Path

from torch import Tensor

from .codec import VideoCodec
from .fidelity import warn_of_unfamiliar
from .given import Frames, Given, Tokens, as_frames, as_tokens


def given_tokens(codec: VideoCodec, first_frames: Given = None, first_tokens: Tokens | None = None) -> Tensor | None:
    """The tokens `[T, H, W]` that a video begins with; `None` if nothing is given.

    Args:
        codec: Encodes frames.
        first_frames: Frames in any form; of a video file its last frames, as many as there are in whole latent frames.
        first_tokens: The same as tokens.

    Raises:
        ValueError: Both are given, or the one that is given does not fit.

    Warns:
        UnfamiliarVideoWarning: The tokenizer was not trained to show such frames.
    """
    if first_frames is not None and first_tokens is not None:
        raise ValueError("got first_frames and first_tokens; wanted one of them: both say how the video begins")
    if first_tokens is not None:
        return as_tokens(first_tokens, codec.tokenizer.codebook_size, codec.frame_shape)
    if first_frames is None:
        return None
    frames = as_frames(first_frames, (codec.height, codec.width), codec.fps)
    if isinstance(first_frames, (str, Path)):
        frames = frames[-codec.stride.trimmed(len(frames)) :]
    tokens = codec.encode(frames)
    warn_of_unfamiliar(codec, frames)
    return tokens


def one_picture(codec: VideoCodec, picture: Frames) -> Tensor:
    """The frame `[1, H, W, 3]` of a picture to animate.

    Raises:
        ValueError: It is a video of several frames.
    """
    frames = as_frames(picture, (codec.height, codec.width), codec.fps)
    if len(frames) != 1:
        raise ValueError(
            f"got {len(frames)} frames to animate; wanted one picture; `generate(..., first_frames=...)` continues a video, and "
            "`video[:1]` is its first frame"
        )
    return frames
