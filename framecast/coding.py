"""Videos to tokens and back, as the command line asks for them."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .data import VideoData, read_video, to_frames, to_video
from .evaluate.progress import tracked
from .sample import Bundle, TokenHeader, describe_tokens, load_bundle, read_tokens
from .sample.kernels import prepare


def prepared_bundle(folder: str | None) -> Bundle:
    """A bundle whose tokenizer computes as a generator's does, to the last bit."""
    bundle = load_bundle(folder)
    prepare(bundle.tokenizer)
    return bundle


def header_of(bundle: Bundle) -> TokenHeader:
    """What a token file says of the tokenizer of a bundle."""
    return describe_tokens(bundle.tokenizer, bundle.path.resolve().name, (bundle.height, bundle.width), bundle.fps)


def encode(bundle: Bundle, frames: Tensor) -> Tensor:
    """Tokens int64 `[T, H, W]`, in chunks of constant memory that carry their state on."""
    tokenizer = bundle.tokenizer.eval()
    state = tokenizer.init_encoder_state(1, bundle.height, bundle.width)
    chunks = tracked(frames.split(4 * tokenizer.temporal_stride), "encoding")
    with torch.inference_mode():
        return torch.cat([tokenizer.encode(to_video(chunk)[None], state)[0] for chunk in chunks])


def decode(bundle: Bundle, tokens: Tensor) -> Tensor:
    """Frames of tokens `[T, H, W]`, latent frame by latent frame."""
    tokenizer = bundle.tokenizer.eval()
    state = tokenizer.init_decoder_state(1, *tokens.shape[1:])
    pieces = tracked(tokens.split(1), "decoding")
    with torch.inference_mode():
        return torch.cat([to_frames(tokenizer.decode(piece[None], state))[0] for piece in pieces])


def read_legal(bundle: Bundle, arguments: Namespace) -> Tensor:
    """The frames of a video, as many as were asked for, or trimmed to a length that the tokenizer takes."""
    if arguments.num_frames is not None:
        bundle.tokenizer.num_latent_frames(arguments.num_frames)
    video = read(arguments.video, fps=bundle.fps, size=(bundle.height, bundle.width), num_frames=arguments.num_frames)
    stride = bundle.tokenizer.temporal_stride
    return video.frames[: (len(video.frames) - 1) // stride * stride + 1]


def read(path: str, **wanted: Any) -> VideoData:
    """Reads a video, and says where it is damaged."""
    video = read_video(path, **wanted)
    if video.damage is not None:
        print(f"{path} is damaged: {video.damage}; used the {len(video.frames)} frames that can be shown", file=sys.stderr)
    return video


def report_tokens(out: Path) -> None:
    """Says how large a token file is for its length."""
    video = read_tokens(out)
    rate = video.num_bytes / video.seconds / 1000
    print(f"{out}: {len(video.tokens)} latent frames, {video.bits_per_pixel:.4f} bits per pixel, {rate:.2f} kB per second")
