"""What the commands of the command line do."""

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from .data import VideoData, contact_sheet, read_video, to_frames, to_video, write_video
from .data.video import WRITERS
from .evaluate import bits_per_pixel, psnr
from .sample import Bundle, Clip, SamplingParams, Stream, VideoGenerator, load_bundle, load_generator

DEMO_PROMPTS = (
    "a large red circle moves right",
    "a large blue square moves up",
    "a large yellow star bounces",
    "a small white ring moves down and left",
    "a large green triangle falls",
    "a large magenta cross moves left, then stops",
    "a large cyan circle passes behind a bar",
    "a large orange square stands still, and a small white circle moves right",
)
DEMO_FRAMES = 33


def sample(arguments: argparse.Namespace) -> None:
    """`framecast sample`: a clip from a prompt."""
    out = _checked_out(arguments.out)
    generator = load_generator(arguments.bundle)
    started = time.perf_counter()
    clip = _generate(generator, arguments.prompt, arguments.num_frames, arguments.seed, _params(arguments), None)
    _report(clip, out, arguments.num_frames, time.perf_counter() - started)


def continue_video(arguments: argparse.Namespace) -> None:
    """`framecast continue`: a video, and what comes after it."""
    out = _checked_out(arguments.out)
    generator = load_generator(arguments.bundle)
    stride = generator.tokenizer.temporal_stride
    if arguments.num_frames < 1 or arguments.num_frames % stride:
        raise ValueError(
            f"got --num_frames {arguments.num_frames}; wanted a multiple of {stride}, the tokenizer's temporal stride, "
            f"to add to the video; ask for {max(1, arguments.num_frames // stride) * stride}"
        )
    generator.tokenizer.num_latent_frames(arguments.given_frames)
    video = read_video(arguments.video, fps=generator.fps, size=(generator.height, generator.width))
    if len(video.frames) < arguments.given_frames:
        raise ValueError(
            f"got {arguments.video} with {len(video.frames)} frames at {generator.fps:g} frames/s; wanted at least the "
            f"{arguments.given_frames} to go on from; give fewer --given_frames"
        )
    given = video.frames[-arguments.given_frames :]
    started = time.perf_counter()
    total = arguments.given_frames + arguments.num_frames
    clip = _generate(generator, arguments.prompt, total, arguments.seed, _params(arguments), given)
    _report(clip, out, arguments.num_frames, time.perf_counter() - started)


def reconstruct(arguments: argparse.Namespace) -> None:
    """`framecast reconstruct`: a video beside what its tokens keep of it."""
    out = _checked_out(arguments.out)
    bundle = load_bundle(arguments.bundle)
    if arguments.num_frames is not None:
        bundle.tokenizer.num_latent_frames(arguments.num_frames)
    video = read_video(arguments.video, fps=bundle.fps, size=(bundle.height, bundle.width), num_frames=arguments.num_frames)
    frames = _legal_frames(bundle, video)
    tokens, decoded = _reconstruct(bundle, frames)
    quality = psnr(to_video(decoded)[None], to_video(frames)[None]).item()
    bits = bits_per_pixel(tokens.numel(), bundle.tokenizer.codebook_size, frames[..., 0].numel())
    write_video(out, torch.cat([frames, decoded], dim=2), bundle.fps)
    print(f"{out}: {len(frames)} frames, PSNR {quality:.2f} dB, {bits:.4f} bits per pixel")


def info(arguments: argparse.Namespace) -> None:
    """`framecast info`: what a bundle holds."""
    bundle = load_bundle(arguments.bundle)
    tokenizer, lm = bundle.tokenizer, bundle.lm
    rows = [
        ("folder", bundle.path),
        ("video", f"{bundle.height}x{bundle.width} pixels, {bundle.fps:g} frames/s"),
        ("tokenizer", f"{_count(tokenizer)} parameters, {type(tokenizer.quantizer).__name__}, {tokenizer.codebook_size:,} codes"),
        ("strides", f"{tokenizer.temporal_stride} frames, {tokenizer.spatial_stride} pixels"),
    ]
    if lm is not None:
        config = lm.config
        rows += [
            ("video LM", f"{_count(lm)} parameters, width {config.width}, {config.num_layers} layers"),
            ("tokens", f"{config.frame_shape[0]}x{config.frame_shape[1]} in a latent frame"),
            ("context", f"{config.sink_frames} sink and {config.context_frames} latest latent frames"),
        ]
    rows += [(f"training {name}", value) for name, value in bundle.training.items()]
    rows += [(name, digest[:16]) for name, digest in bundle.hashes.items()]
    for name, value in rows:
        print(f"{name:24} {value}")


def demo(arguments: argparse.Namespace) -> None:
    """`framecast demo`: a captioned set of clips, and how fast they were made."""
    folder = Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    generator = load_generator()
    params = SamplingParams()
    generator.generate(DEMO_PROMPTS[0], 5, arguments.seed, params)  # a warm start
    clips, started = [], time.perf_counter()
    for prompt in _progress(DEMO_PROMPTS, "generating"):
        clips.append(generator.generate(prompt, DEMO_FRAMES, arguments.seed, params))
    seconds = time.perf_counter() - started
    for number, clip in enumerate(clips):
        clip.save(folder / f"{number}_{clip.prompt.replace(',', '').replace(' ', '_')}.mp4")
    contact_sheet([clip.frames for clip in clips], list(DEMO_PROMPTS), every=4, scale=2).save(folder / "contact_sheet.png")
    made = len(clips) * DEMO_FRAMES
    print(
        f"{len(clips)} clips of {DEMO_FRAMES} frames in {seconds:.1f} s: {made / seconds:.1f} frames/s "
        f"(the video plays at {generator.fps:g}); see {folder / 'contact_sheet.png'}"
    )


def _generate(
    generator: VideoGenerator, prompt: str, num_frames: int, seed: int, params: SamplingParams, given: Tensor | None
) -> Clip:
    """What `VideoGenerator.generate` makes, with a bar that shows how far it is."""
    length = generator.tokenizer.num_latent_frames(num_frames)
    stream = generator.stream(prompt, seed, params, given)
    frames = [] if stream.tokens is None else [generator.decode(stream.tokens)]
    for _ in _progress(range(length - _num_tokens(stream)), "generating"):
        frames.append(stream.advance().frames.cpu())
    assert stream.tokens is not None
    return Clip(torch.cat(frames), stream.tokens, generator.fps, prompt, seed)


def _num_tokens(stream: Stream) -> int:
    return 0 if stream.tokens is None else len(stream.tokens)


def _reconstruct(bundle: Bundle, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens and decoded frames, in chunks of constant memory that carry their state on."""
    tokenizer = bundle.tokenizer.eval()
    encoder = tokenizer.init_encoder_state(1, bundle.height, bundle.width)
    decoder = tokenizer.init_decoder_state(1, *tokenizer.frame_shape(bundle.height, bundle.width))
    tokens, decoded = [], []
    with torch.inference_mode():
        for chunk in _progress(frames.split(4 * tokenizer.temporal_stride + 1), "reconstructing"):
            new = tokenizer.encode(to_video(chunk)[None], encoder)
            if new.shape[1]:
                tokens.append(new)
                decoded.append(to_frames(tokenizer.decode(new, decoder))[0])
    return torch.cat(tokens, dim=1), torch.cat(decoded)


def _legal_frames(bundle: Bundle, video: VideoData) -> Tensor:
    """The frames, trimmed to a length the tokenizer takes."""
    stride = bundle.tokenizer.temporal_stride
    return video.frames[: (len(video.frames) - 1) // stride * stride + 1]


def _params(arguments: argparse.Namespace) -> SamplingParams:
    block = arguments.block_length
    return SamplingParams(
        temperature=arguments.temperature,
        top_k=arguments.top_k,
        top_p=arguments.top_p,
        guidance_scale=arguments.guidance_scale,
        block_length=int(block) if block.isdecimal() else block,
    )


def _checked_out(out: str) -> Path:
    """The output path; that it can be written is known before the long work starts."""
    path = Path(out)
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
    if path.suffix.lower() not in WRITERS or path.is_dir():
        raise ValueError(f"got the output file {path}; wanted the name of a file that ends in {', '.join(WRITERS)}")
    return path


def _report(clip: Clip, out: Path, new_frames: int, seconds: float) -> None:
    clip.save(out)
    print(f"{out}: {len(clip.frames)} frames, {new_frames / seconds:.1f} frames/s, seed {clip.seed}")


def _progress(items: Iterable, what: str) -> Iterable:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(list(items), description=what)


def _count(module: torch.nn.Module) -> str:
    return f"{sum(p.numel() for p in module.parameters()) / 1e6:.2f}M"
