"""Clips as the command line asks for them: by what generator, with what settings, written and reported."""

from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor

from .coding import decode, report_tokens
from .data.files import replacing
from .requests import check_memory, given_options
from .sample import Clip, SamplingParams, VideoGenerator, load_generator
from .sample.collect import collect
from .sample.progress import following
from .sample.prompts import Prompt
from .sample.token_file import SUFFIX

_MOST_DIGITS = 20


def make_generator(arguments: Namespace) -> VideoGenerator:
    """The generator of a bundle, where and how exactly it is to compute."""
    return load_generator(arguments.bundle, device_of(arguments), getattr(torch, arguments.dtype), bool(arguments.compile))


def params_of(arguments: Namespace) -> SamplingParams:
    """How tokens are to be chosen; what was not given is as `SamplingParams` has it."""
    options = given_options(arguments, "temperature", "top_k", "top_p", "guidance_scale", "decoding", "negative_prompt")
    decoding = options.get("decoding", "")
    if decoding.isdecimal() and len(decoding) < _MOST_DIGITS:
        options["decoding"] = int(decoding)
    return SamplingParams(**options)


def device_of(arguments: Namespace) -> torch.device:
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


def generate(
    generator: VideoGenerator,
    prompt: Prompt,
    num_frames: int,
    arguments: Namespace,
    out: Path,
    given: Tensor | None = None,
) -> Clip:
    """What `VideoGenerator.generate` makes, with a bar that shows how far it is; `given` are the first tokens `[T, H, W]`."""
    length = generator.tokenizer.num_latent_frames(num_frames)
    check_memory(num_frames * generator.height * generator.width * 3, num_frames)
    stream = generator.stream(prompt, arguments.seed, params_of(arguments), first_tokens=given)
    past = [] if stream.tokens is None else [decode(generator.codec, stream.tokens)]
    with ExitStack() as stack:
        if out.suffix.lower() == SUFFIX:
            stream.record(stack.enter_context(replacing(out)))  # an older file stays until the new one is whole
        stack.callback(stream.close)
        done = stack.enter_context(following(True, num_frames))
        return collect(stream, length, past, done)


def generate_all(generator: VideoGenerator, prompts: list[str], num_frames: int, arguments: Namespace) -> list[Clip]:
    """A clip of each prompt, side by side, with a bar that shows how far all of them are."""
    check_memory(len(prompts) * num_frames * generator.height * generator.width * 3, num_frames)
    return generator.generate(prompts, num_frames, arguments.seed, params_of(arguments), progress=True)


def report(clip: Clip, out: Path, new_frames: int, seconds: float) -> None:
    """Writes a clip, unless its tokens are written already, and says how fast it was made."""
    if out.suffix.lower() == SUFFIX:
        report_tokens(out)
    else:
        clip.save(out)
    print(f"{out}: {len(clip.frames)} frames, {new_frames / seconds:.1f} frames/s, seed {clip.seed}")
