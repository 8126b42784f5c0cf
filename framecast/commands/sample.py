"""`framecast sample`: a clip from a prompt, or clips from several."""

import time
from argparse import ArgumentParser, Namespace

from .options import add_actions, add_bundle, add_compile, add_out, add_prompt, add_sampling, add_start

HELP = "make a clip from a prompt, or from each of several"


def add_options(parser: ArgumentParser) -> None:
    add_prompt(parser, 'what the video shows, such as "a red circle moves right"; several make a clip each')
    parser.add_argument("--num_frames", type=int, default=33, help="length of the clip, 1 + 4k (default: 33)")
    add_bundle(parser)
    add_out(parser)
    add_actions(parser)
    add_start(parser)
    add_sampling(parser)
    add_compile(parser)


def run(arguments: Namespace) -> None:
    from ..generating import generate, make_generator, report
    from ..requests import check_unsplit, checked_out, fill_prompts, given_or_fresh

    check_unsplit(arguments.prompt)
    fill_prompts(arguments, "sample")
    if len(arguments.prompt) > 1:
        _sample_all(arguments)
        return
    (prompt,) = arguments.prompt
    out = checked_out(given_or_fresh(arguments.out, prompt or arguments.start or ""))
    generator = make_generator(arguments)
    started = time.perf_counter()
    clip = generate(generator, prompt, arguments.num_frames, arguments, out)
    report(clip, out, arguments.num_frames, time.perf_counter() - started)


def _sample_all(arguments: Namespace) -> None:
    """A file for each prompt, or one sheet of all of them."""
    from ..data.sheets import is_sheet, save_sheet
    from ..generating import generate, generate_all, make_generator, report
    from ..requests import checked_out, given_or_fresh, numbered
    from ..sample.token_file import SUFFIX

    prompts, sheet = arguments.prompt, arguments.out is not None and is_sheet(arguments.out)
    names: list[str] = []
    for number, prompt in enumerate(prompts, 1):
        name = arguments.out if sheet else arguments.out and numbered(arguments.out, number)
        names.append(given_or_fresh(name, prompt, taken=names))
    outs = [checked_out(name) for name in names]
    generator = make_generator(arguments)
    if outs[0].suffix.lower() == SUFFIX:  # tokens are written while they are made, one video after the other
        for prompt, out in zip(prompts, outs, strict=True):
            started = time.perf_counter()
            clip = generate(generator, prompt, arguments.num_frames, arguments, out)
            report(clip, out, arguments.num_frames, time.perf_counter() - started)
        return
    started = time.perf_counter()
    clips = generate_all(generator, prompts, arguments.num_frames, arguments)
    seconds = time.perf_counter() - started
    if sheet:
        save_sheet(outs[0], [clip.frames for clip in clips], prompts, generator.codec.note)
    for clip, out in zip(clips, outs, strict=True):
        if not sheet:
            clip.save(out)
            print(f"{out}: {clip.prompt}")
    made = len(clips) * arguments.num_frames
    print(
        f"{f'{outs[0]}: ' if sheet else ''}{len(clips)} clips of {arguments.num_frames} frames, {made / seconds:.1f} frames/s, "
        f"seed {arguments.seed}"
    )
