"""`framecast continue`: a video or a token file, and what comes after it."""

import time
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .options import add_actions, add_bundle, add_compile, add_out, add_sampling

HELP = "continue a video or a token file"
DEFAULT_GIVEN_FRAMES = 17

if TYPE_CHECKING:
    from torch import Tensor

    from ..sample import VideoGenerator
    from ..sample.prompts import Prompt


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("video", help="the video to continue, or a token file (.fct)")
    parser.add_argument(
        "--prompt",
        default=None,
        help="what the video shows; of a token file, its last prompt if not given (not needed if all videos of the training "
        "showed the same)",
    )
    parser.add_argument("--num_frames", type=int, default=16, help="frames to add, a multiple of 4 (default: 16)")
    parser.add_argument(
        "--given_frames",
        type=int,
        default=None,
        help=f"last frames of the video to go on from, 1 + 4k (default: {DEFAULT_GIVEN_FRAMES} of a video, all of a token file)",
    )
    parser.add_argument(
        "--keep",
        choices=("all", "given", "none"),
        default="given",
        help="what stands before the new frames: the whole video, the frames to go on from, or nothing (default: given)",
    )
    add_bundle(parser)
    add_out(parser)
    add_actions(parser)
    add_sampling(parser)
    add_compile(parser)


def run(arguments: Namespace) -> None:
    import torch

    from ..generating import generate, make_generator, report
    from ..requests import checked_out, fill_prompt, given_or_fresh
    from ..sample.token_file import SUFFIX

    is_tokens = Path(arguments.video).suffix.lower() == SUFFIX
    name = f"{Path(arguments.video).stem}_continued"
    out = checked_out(given_or_fresh(arguments.out, name), given=arguments.video)
    if out.suffix.lower() == SUFFIX and arguments.keep not in ("given", "all" if is_tokens else "given"):
        raise ValueError(
            f"got --keep {arguments.keep} and the token file {out} to write; wanted a video file, or --keep given: tokens have a "
            "meaning from the first given frame on"
        )
    if not is_tokens:
        fill_prompt(arguments, arguments.video)
    generator = make_generator(arguments)
    stride = generator.tokenizer.temporal_stride
    if arguments.num_frames < 1 or arguments.num_frames % stride:
        raise ValueError(
            f"got --num_frames {arguments.num_frames}; wanted a multiple of {stride}, the tokenizer's temporal stride, "
            f"to add to the video; ask for {max(1, arguments.num_frames // stride) * stride}"
        )
    if arguments.given_frames is not None:
        generator.tokenizer.num_latent_frames(arguments.given_frames)
    given = (_given_tokens if is_tokens else _given_frames)(generator, arguments)
    started = time.perf_counter()
    total = generator.tokenizer.num_frames(len(given.tokens)) + arguments.num_frames
    clip = generate(generator, given.prompt, total, arguments, out, given.tokens, given.actions)
    if arguments.keep == "all" and given.before is not None and len(given.before):
        clip = replace(clip, frames=torch.cat([given.before, clip.frames]))
    if arguments.keep == "none":
        clip = clip[-arguments.num_frames :]
    report(clip, out, arguments.num_frames, time.perf_counter() - started)


class _Given(NamedTuple):
    """What a video goes on from."""

    prompt: "Prompt"
    tokens: "Tensor"
    before: "Tensor | None" = None
    """The frames before those of the tokens."""
    actions: "Tensor | None" = None
    """What was done in the latent frames of the tokens, if that is known."""


def _given_frames(generator: "VideoGenerator", arguments: Namespace) -> _Given:
    """The last frames of a video."""
    from ..coding import encode, read
    from ..sample.fidelity import warn_of_unfamiliar

    length = arguments.given_frames or DEFAULT_GIVEN_FRAMES
    video = read(arguments.video, fps=generator.fps, size=(generator.height, generator.width))
    if len(video.frames) < length:
        raise ValueError(
            f"got {arguments.video} with {len(video.frames)} frames at {generator.fps:g} frames/s; wanted at least the "
            f"{length} to go on from; give fewer --given_frames"
        )
    warn_of_unfamiliar(generator.codec, video.frames[-length:])
    return _Given(arguments.prompt, encode(generator.codec, video.frames[-length:]), video.frames[:-length])


def _given_tokens(generator: "VideoGenerator", arguments: Namespace) -> _Given:
    """All of a token file, with the prompt that held last, and the actions if it is of the same world."""
    from ..sample import read_tokens

    video = read_tokens(arguments.video).check(generator.codec.header())
    if arguments.given_frames is not None:
        raise ValueError("got --given_frames for a token file; wanted all of its tokens: they are of one video from its start")
    actions = None if video.header.action_space != generator.action_space else video.actions
    if arguments.prompt is not None:
        return _Given(arguments.prompt, video.tokens, actions=actions)
    if video.prompts:
        return _Given([(0.0, video.prompts[-1][1])], video.tokens, actions=actions)
    if generator.caption is None:
        raise ValueError(f"got {arguments.video}, which knows no prompt, and no --prompt; wanted to know what the video shows")
    return _Given(generator.caption, video.tokens, actions=actions)
