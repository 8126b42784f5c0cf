"""`framecast demo`: a captioned set of clips, and how fast they were made."""

import time
from argparse import ArgumentParser, Namespace

HELP = "make a captioned set of clips with the shipped model"
PROMPTS = (
    "a large red circle moves right",
    "a large blue square moves up",
    "a large yellow star bounces",
    "a small white ring moves down and left",
    "a large green triangle falls",
    "a large magenta cross moves left, then stops",
    "a large cyan circle passes behind a bar",
    "a large orange square stands still, and a small white circle moves right",
)
NUM_FRAMES = 33


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--out", default="demo", help="folder for the clips, made if it is missing (default: demo)")
    parser.add_argument("--seed", type=int, default=0, help="seed of every clip (default: 0)")


def run(arguments: Namespace) -> None:
    from ..console import say
    from ..data import contact_sheet
    from ..progress import Task
    from ..requests import checked_folder
    from ..sample import SamplingParams, load_generator

    folder = checked_folder(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    generator = load_generator()
    params = SamplingParams()
    with Task("warming up"):
        generator.generate(PROMPTS[0], 5, arguments.seed, params)
    clips, started = [], time.perf_counter()
    for number, prompt in enumerate(PROMPTS, 1):
        with Task(f"making clip {number}"):
            clips.append(generator.generate(prompt, NUM_FRAMES, arguments.seed, params))
        say(f"clip {number} of {len(PROMPTS)}: {prompt}")
    seconds = time.perf_counter() - started
    for number, clip in enumerate(clips):
        clip.save(folder / f"{number}_{clip.prompt.replace(',', '').replace(' ', '_')}.mp4")
    sheet = contact_sheet([clip.frames for clip in clips], list(PROMPTS), every=4, scale=2, note=generator.codec.note)
    sheet.save(folder / "contact_sheet.png")
    made = len(clips) * NUM_FRAMES
    print(
        f"{len(clips)} clips of {NUM_FRAMES} frames in {seconds:.1f} s: {made / seconds:.1f} frames/s "
        f"(the video plays at {generator.fps:g}); see {folder / 'contact_sheet.png'}"
    )
