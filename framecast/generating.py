"""Clips as the command line asks for them: by what generator, with what settings, written and reported."""

from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .coding import decode, report_tokens
from .data.files import replacing
from .requests import check_memory, given_options
from .sample import Clip, VideoGenerator, load_generator
from .sample.action_files import ACTION_SUFFIXES, read_actions
from .sample.action_text import parse_actions
from .sample.collect import collect
from .sample.plan import Actions
from .sample.progress import following
from .sample.prompts import Prompt
from .sample.settings import as_params
from .sample.token_file import SUFFIX

_MOST_DIGITS = 20


def make_generator(arguments: Namespace) -> VideoGenerator:
    """The generator of a bundle, where and how exactly it is to compute."""
    return load_generator(arguments.bundle, device_of(arguments), getattr(torch, arguments.dtype), bool(arguments.compile))


def params_of(arguments: Namespace) -> dict[str, Any]:
    """How tokens are to be chosen; what was not given is as the model's bundle has it."""
    names = ("temperature", "top_k", "top_p", "guidance_scale", "decoding", "negative_prompt", "action_guidance")
    options = given_options(arguments, *(name for name in names if name in arguments))
    decoding = options.get("decoding", "")
    if decoding.isdecimal() and len(decoding) < _MOST_DIGITS:
        options["decoding"] = int(decoding)
    as_params(options)
    return options


def actions_of(generator: VideoGenerator, arguments: Namespace) -> Actions | None:
    """What is to be done: the actions of a file, or as they were typed.

    Raises:
        ActionError: The model knows no actions, the file cannot be read, or there is an action that cannot be.
    """
    if arguments.actions is None:
        return None
    space = generator.stepper.known_space()
    if arguments.actions.lower().endswith(ACTION_SUFFIXES):
        return read_actions(arguments.actions, space)
    parse_actions(arguments.actions, space)  # before the long work starts
    return str(arguments.actions)


def world_of(generator: VideoGenerator, arguments: Namespace) -> dict[str, Any]:
    """How a world begins and what is done in it, as `stream` and `generate` take it."""
    start = vars(arguments).get("start")
    if start is not None and start.isdecimal() and len(start) < _MOST_DIGITS:
        start = int(start)
    return {"actions": actions_of(generator, arguments), "start": start}


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
    first_actions: Tensor | None = None,
) -> Clip:
    """What `VideoGenerator.generate` makes, with a bar that shows how far it is.

    Args:
        generator: Makes it.
        prompt: What it shows.
        num_frames: Its length, with what is given.
        arguments: Seed, settings, and what is done.
        out: Where tokens go, if its name says so.
        given: The first tokens `[T, H, W]`.
        first_actions: What was done in them, `[T, stride, A]`.
    """
    length = generator.tokenizer.num_latent_frames(num_frames)
    check_memory(num_frames * generator.height * generator.width * 3, num_frames)
    params, world = params_of(arguments), world_of(generator, arguments)
    stream = generator.stream(prompt, arguments.seed, params, first_tokens=given, first_actions=first_actions, **world)
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
    params, world = params_of(arguments), world_of(generator, arguments)
    return generator.generate(prompts, num_frames, arguments.seed, params, progress=True, **world)


def report(clip: Clip, out: Path, new_frames: int, seconds: float) -> None:
    """Writes a clip, unless its tokens are written already, and says how fast it was made."""
    if out.suffix.lower() == SUFFIX:
        report_tokens(out)
    else:
        clip.save(out)
    print(f"{out}: {len(clip.frames)} frames, {new_frames / seconds:.1f} frames/s, seed {clip.seed}")
