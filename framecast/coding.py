"""Videos to tokens and back, as the command line asks for them."""

import sys
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from .data import VideoData, read_video, write_video
from .data.sheets import is_sheet, save_sheet
from .progress import Task, tracked
from .sample import VideoCodec, read_tokens


def encode(codec: VideoCodec, frames: Tensor) -> Tensor:
    """Tokens int64 `[T, H, W]` of frames, with a bar that shows how far it is."""
    return codec.encode(frames, partial(tracked, what="encoding", unit="pieces"))


def decode(codec: VideoCodec, tokens: Tensor) -> Tensor:
    """Frames of tokens `[T, H, W]`, with a bar that shows how far it is."""
    return codec.decode(tokens, partial(tracked, what="decoding", unit="latent frames"))


def read_legal(codec: VideoCodec, arguments: Namespace) -> Tensor:
    """The frames of a video, as many as were asked for, or trimmed to a length that the tokenizer takes."""
    if arguments.num_frames is not None:
        codec.stride.num_latent_frames(arguments.num_frames)
    video = read(arguments.video, fps=codec.fps, size=(codec.height, codec.width), num_frames=arguments.num_frames)
    return video.frames[: codec.stride.trimmed(len(video.frames))]


def read(path: str, **wanted: Any) -> VideoData:
    """Reads a video, and says where it is damaged."""
    with Task(f"reading {path}"):
        video = read_video(path, **wanted)
    if video.damage is not None:
        print(f"{path} is damaged: {video.damage}; used the {len(video.frames)} frames that can be shown", file=sys.stderr)
    return video


def write(out: Path, frames: Tensor, fps: float, title: str, note: str = "") -> None:
    """Writes frames as a video, or as a contact sheet with a title and a note if the name asks for a sheet."""
    if is_sheet(out):
        save_sheet(out, [frames], [title], note)
        return
    with Task(f"writing {out}"):
        write_video(out, frames, fps)


def report_tokens(out: Path) -> None:
    """Says how large a token file is for its length."""
    video = read_tokens(out)
    rate = video.num_bytes / video.seconds / 1000
    print(f"{out}: {len(video.tokens)} latent frames, {video.bits_per_pixel:.4f} bits per pixel, {rate:.2f} kB per second")
