"""What the commands of the command line do."""

import argparse
import os
import sys
import time
import warnings
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .console import say
from .data import VideoData, contact_sheet, read_video, to_video, write_video
from .data.files import replacing
from .data.video import WRITERS
from .evaluate import bits_per_pixel, psnr
from .evaluate.progress import tracked
from .requests import check_memory, checked_folder, checked_out, one_prompt
from .sample import (
    Bundle,
    Clip,
    PromptWarning,
    SamplingParams,
    TokenWriter,
    VideoGenerator,
    load_bundle,
    load_generator,
    read_tokens,
)
from .sample.codec import VideoCodec
from .sample.prompts import Prompt, warn_of_late
from .sample.token_file import SUFFIX

if TYPE_CHECKING:
    from .serve.server.config import ServeConfig

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
DEFAULT_GIVEN_FRAMES = 17
_SHOWN_WORDS = 80
_MOST_DIGITS = 20


def sample(arguments: argparse.Namespace) -> None:
    """`framecast sample`: a clip from a prompt."""
    out, prompt = checked_out(arguments.out), one_prompt(arguments.prompt)
    generator = _generator(arguments)
    started = time.perf_counter()
    clip = _generate(generator, prompt, arguments.num_frames, arguments, out)
    _report(clip, out, arguments.num_frames, time.perf_counter() - started)


def continue_video(arguments: argparse.Namespace) -> None:
    """`framecast continue`: a video or a token file, and what comes after it."""
    out = checked_out(arguments.out, given=arguments.video)
    generator = _generator(arguments)
    stride = generator.tokenizer.temporal_stride
    if arguments.num_frames < 1 or arguments.num_frames % stride:
        raise ValueError(
            f"got --num_frames {arguments.num_frames}; wanted a multiple of {stride}, the tokenizer's temporal stride, "
            f"to add to the video; ask for {max(1, arguments.num_frames // stride) * stride}"
        )
    if arguments.given_frames is not None:
        generator.tokenizer.num_latent_frames(arguments.given_frames)
    is_tokens = Path(arguments.video).suffix.lower() == SUFFIX
    prompt, given = (_given_tokens if is_tokens else _given_frames)(generator, arguments)
    started = time.perf_counter()
    total = generator.tokenizer.num_frames(len(given)) + arguments.num_frames
    clip = _generate(generator, prompt, total, arguments, out, given)
    _report(clip, out, arguments.num_frames, time.perf_counter() - started)


def _given_frames(generator: VideoGenerator, arguments: argparse.Namespace) -> tuple[Prompt, Tensor]:
    """The prompt, and the tokens of a video's last frames."""
    length = arguments.given_frames or DEFAULT_GIVEN_FRAMES
    if arguments.prompt is None:
        raise ValueError(f"got {arguments.video} and no --prompt; wanted to know what the video shows")
    video = _read(arguments.video, fps=generator.fps, size=(generator.height, generator.width))
    if len(video.frames) < length:
        raise ValueError(
            f"got {arguments.video} with {len(video.frames)} frames at {generator.fps:g} frames/s; wanted at least the "
            f"{length} to go on from; give fewer --given_frames"
        )
    return arguments.prompt, generator.encode(video.frames[-length:])


def _given_tokens(generator: VideoGenerator, arguments: argparse.Namespace) -> tuple[Prompt, Tensor]:
    """The prompt that held last, and the tokens of a token file."""
    video = read_tokens(arguments.video).check(generator.token_header())
    if arguments.given_frames is not None:
        raise ValueError("got --given_frames for a token file; wanted all of its tokens: they are of one video from its start")
    if arguments.prompt is not None:
        return arguments.prompt, video.tokens
    if not video.prompts:
        raise ValueError(f"got {arguments.video}, which knows no prompt, and no --prompt; wanted to know what the video shows")
    return [(0.0, video.prompts[-1][1])], video.tokens


def stream(arguments: argparse.Namespace) -> None:
    """`framecast stream`: frames as they are made."""
    from .live import STREAM_SUFFIXES, run_stream

    if arguments.out not in (None, "-"):
        checked_out(arguments.out, STREAM_SUFFIXES)
    if arguments.seconds is not None and not 0 < arguments.seconds < float("inf"):
        raise ValueError(f"got --seconds {arguments.seconds:g}; wanted a number above 0; leave it out for a stream without end")
    arguments.prompt = one_prompt(arguments.prompt)
    run_stream(_generator(arguments), arguments, _params(arguments))


def serve(arguments: argparse.Namespace) -> None:
    """`framecast serve`: streams for browsers and programs."""
    warnings.simplefilter("ignore", PromptWarning)  # its prompts are other people's
    from .serve.server.config import ServeConfig

    config = ServeConfig(
        host=arguments.host,
        port=arguments.port,
        slots=arguments.slots,
        queue=arguments.queue,
        token=_token(arguments.token_file),
        hosts=tuple(arguments.allow_host or ()),
        origins=tuple(arguments.allow_origin or ()),
        replicas=arguments.replicas,
    )
    if arguments.replicas > 1 or arguments.ray_address is not None:
        _serve_in_cluster(arguments, config)
        return
    try:
        from .serve.server.engine import load_apart
        from .serve.server.run import run_server
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed; wanted it to serve; pip install '.[serve]'") from error
    run_server(load_apart(lambda: _generator(arguments)), config)


def _serve_in_cluster(arguments: argparse.Namespace, config: "ServeConfig") -> None:
    try:
        from .serve.cluster.ray import Recipe, run_cluster
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed; wanted it for replicas; pip install '.[ray]'") from error
    bundle = None if arguments.bundle is None else Path(arguments.bundle).resolve()
    run_cluster(Recipe(bundle, arguments.device, arguments.dtype, arguments.replica_cpus), config, arguments.ray_address)


def _token(file: str | None) -> str | None:
    """The token of a file, or else of the environment: on a command line others could read it."""
    if file is None:
        return os.environ.get("FRAMECAST_TOKEN")
    if not Path(file).is_file():
        raise ValueError(f"got --token_file {file}; wanted a file that holds the token")
    return Path(file).read_text(encoding="utf-8").strip()


def encode(arguments: argparse.Namespace) -> None:
    """`framecast encode`: a video as a token file."""
    out = checked_out(arguments.out, (SUFFIX,), arguments.video)
    codec = load_bundle(arguments.bundle).codec()
    tokens = codec.encode(_read_legal(codec, arguments), partial(tracked, what="encoding"))
    with replacing(out) as temporary, TokenWriter(temporary, codec.header()) as writer:
        writer.append(tokens)
    _report_tokens(out)


def decode(arguments: argparse.Namespace) -> None:
    """`framecast decode`: a token file as a video."""
    out = checked_out(arguments.out, tuple(WRITERS), arguments.file)
    codec = load_bundle(arguments.bundle).codec()
    video = read_tokens(arguments.file).check(codec.header())
    write_video(out, codec.decode(video.tokens, partial(tracked, what="decoding")), video.header.fps)
    print(f"{out}: {video.num_frames} frames, {video.bits_per_pixel:.4f} bits per pixel{'' if video.whole else ', so far'}")


def reconstruct(arguments: argparse.Namespace) -> None:
    """`framecast reconstruct`: a video beside what its tokens keep of it."""
    out = checked_out(arguments.out, tuple(WRITERS), arguments.video)
    codec = load_bundle(arguments.bundle).codec()
    frames = _read_legal(codec, arguments)
    tokens = codec.encode(frames, partial(tracked, what="encoding"))
    decoded = codec.decode(tokens, partial(tracked, what="decoding"))
    quality = psnr(to_video(decoded)[None], to_video(frames)[None]).item()
    bits = bits_per_pixel(tokens.numel(), codec.tokenizer.codebook_size, frames[..., 0].numel())
    write_video(out, torch.cat([frames, decoded], dim=2), codec.fps)
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
            ("words", _shown_words(bundle)),
        ]
    rows += [(f"training {name}", value) for name, value in bundle.training.items()]
    rows += [(name, digest[:16]) for name, digest in bundle.hashes.items()]
    for name, value in rows:
        print(f"{name:24} {value}")


def export(arguments: argparse.Namespace) -> None:
    """`framecast export`: a bundle out of a checkpoint."""
    from .train.checkpoint_bundle import export_checkpoint

    say(f"saved the bundle {export_checkpoint(arguments.checkpoint, arguments.out)}")


def evaluate(arguments: argparse.Namespace) -> None:
    """`framecast evaluate`: figures, curves and clips of bundles, on one page."""
    from .evaluate import QUICK, Settings, evaluate_bundles

    out = checked_folder(arguments.out)
    settings = QUICK if arguments.quick else Settings()
    chosen = {name: getattr(arguments, name) for name in ("clips", "long_clips", "long_frames")}
    settings = replace(
        settings,
        **{name: value for name, value in chosen.items() if value is not None},
        seed=arguments.seed,
        params=_params(arguments),
        device=str(_device(arguments)),
        dtype=arguments.dtype,
        real=arguments.real,
        include=tuple(arguments.include or ["*"]),
        features=arguments.fvd_features,
    )
    print(evaluate_bundles(arguments.bundles or [None], out, settings, arguments.only or []))


def demo(arguments: argparse.Namespace) -> None:
    """`framecast demo`: a captioned set of clips, and how fast they were made."""
    folder = checked_folder(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    generator = load_generator()
    params = SamplingParams()
    generator.generate(DEMO_PROMPTS[0], 5, arguments.seed, params)  # a warm start
    clips, started = [], time.perf_counter()
    for number, prompt in enumerate(DEMO_PROMPTS, 1):
        clips.append(generator.generate(prompt, DEMO_FRAMES, arguments.seed, params))
        say(f"clip {number} of {len(DEMO_PROMPTS)}: {prompt}")
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
    generator: VideoGenerator,
    prompt: Prompt,
    num_frames: int,
    arguments: argparse.Namespace,
    out: Path,
    given: Tensor | None = None,
) -> Clip:
    """What `VideoGenerator.generate` makes, with a bar that shows how far it is; `given` are the first tokens `[T, H, W]`."""
    length = generator.tokenizer.num_latent_frames(num_frames)
    check_memory(num_frames * generator.height * generator.width * 3, num_frames)
    stream = generator.stream(prompt, arguments.seed, _params(arguments), first_tokens=given)
    warn_of_late(stream.upcoming, length)
    frames = [] if stream.tokens is None else [generator.decode(stream.tokens)]
    with ExitStack() as stack:
        if out.suffix.lower() == SUFFIX:
            stream.record(stack.enter_context(replacing(out)))  # an older file stays until the new one is whole
        stack.callback(stream.close)
        for _ in tracked(range(length - stream.num_latent_frames), "generating"):
            frames.append(stream.advance().frames.cpu())
    tokens = stream.tokens
    assert tokens is not None
    return Clip(torch.cat(frames), tokens, generator.fps, stream.prompts[0][1], arguments.seed)


def _read_legal(codec: VideoCodec, arguments: argparse.Namespace) -> Tensor:
    """The frames of a video, as many as were asked for, or trimmed to a length that the tokenizer takes."""
    if arguments.num_frames is not None:
        codec.stride.num_latent_frames(arguments.num_frames)
    video = _read(arguments.video, fps=codec.fps, size=(codec.height, codec.width), num_frames=arguments.num_frames)
    return video.frames[: codec.stride.trimmed(len(video.frames))]


def _read(path: str, **wanted: Any) -> VideoData:
    """Reads a video, and says where it is damaged."""
    video = read_video(path, **wanted)
    if video.damage is not None:
        print(f"{path} is damaged: {video.damage}; used the {len(video.frames)} frames that can be shown", file=sys.stderr)
    return video


def _params(arguments: argparse.Namespace) -> SamplingParams:
    block = arguments.decoding
    return SamplingParams(
        temperature=arguments.temperature,
        top_k=arguments.top_k,
        top_p=arguments.top_p,
        guidance_scale=arguments.guidance_scale,
        decoding=int(block) if block.isdecimal() and len(block) < _MOST_DIGITS else block,
    )


def _generator(arguments: argparse.Namespace) -> VideoGenerator:
    """The generator of a bundle, where and how exactly it is to compute."""
    return load_generator(arguments.bundle, _device(arguments), getattr(torch, arguments.dtype), bool(arguments.compile))


def _device(arguments: argparse.Namespace) -> torch.device:
    """Where to compute.

    Raises:
        ValueError: There is no such device here.
    """
    try:
        device = torch.device(arguments.device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        there = "cpu, cuda" if torch.cuda.is_available() else "cpu"
        raise ValueError(f"got --device {arguments.device}; wanted one that is here: {there}") from error
    return device


def _report(clip: Clip, out: Path, new_frames: int, seconds: float) -> None:
    if out.suffix.lower() == SUFFIX:
        _report_tokens(out)
    else:
        clip.save(out)
    print(f"{out}: {len(clip.frames)} frames, {new_frames / seconds:.1f} frames/s, seed {clip.seed}")


def _report_tokens(out: Path) -> None:
    video = read_tokens(out)
    rate = video.num_bytes / video.seconds / 1000
    print(f"{out}: {len(video.tokens)} latent frames, {video.bits_per_pixel:.4f} bits per pixel, {rate:.2f} kB per second")


def _shown_words(bundle: Bundle) -> str:
    """The words of the training captions, as far as they are known and few."""
    words = bundle.text_tokenizer.words if bundle.text_tokenizer else None
    if words is None:
        return "not known: the bundle does not say"
    return f"{len(words):,}, {' '.join(sorted(words)[:_SHOWN_WORDS])}{' ...' if len(words) > _SHOWN_WORDS else ''}"


def _count(module: torch.nn.Module) -> str:
    return f"{sum(p.numel() for p in module.parameters()) / 1e6:.2f}M"
