"""`framecast reconstruct`: a video beside what its tokens keep of it."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import add_video, add_video_out

HELP = "show a video beside its reconstruction from tokens"


def add_options(parser: ArgumentParser) -> None:
    add_video(parser, "the video to encode and decode")
    add_video_out(parser)


def run(arguments: Namespace) -> None:
    import torch

    from ..coding import decode, encode, read_legal, write
    from ..data import to_video
    from ..data.video import WRITERS
    from ..evaluate import bits_per_pixel, psnr
    from ..requests import checked_out, given_or_fresh
    from ..sample import load_bundle
    from ..sample.fidelity import warn_of_unfamiliar

    name = f"{Path(arguments.video).stem}_reconstructed"
    out = checked_out(given_or_fresh(arguments.out, name), tuple(WRITERS), arguments.video)
    codec = load_bundle(arguments.bundle).codec()
    frames = read_legal(codec, arguments)
    tokens = encode(codec, frames)
    decoded = decode(codec, tokens)
    quality = psnr(to_video(decoded)[None], to_video(frames)[None]).item()
    bits = bits_per_pixel(tokens.numel(), codec.tokenizer.codebook_size, frames[..., 0].numel())
    warn_of_unfamiliar(codec, frames, quality)
    title = f"{Path(arguments.video).name}: the original, and what its tokens keep of it"
    write(out, torch.cat([frames, decoded], dim=2), codec.fps, title)
    print(f"{out}: {len(frames)} frames, PSNR {quality:.2f} dB, {bits:.4f} bits per pixel")
