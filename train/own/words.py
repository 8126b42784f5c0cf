"""What is said before the work and after it."""

import os
import re
import shlex
from collections.abc import Mapping

import torch

from ...data.counted import counted
from ..description import in_words
from .asked import named
from .configs import command
from .judging import can_report, measured, seconds_of_report, settings_of
from .plan import TOKENIZER_SHARE, Part, Plan
from .settings import OwnSettings, spoken
from .showing import seconds_of_samples
from .telling import say, spoken_size
from .videos import Found
from .worlds import Played

_NAMED, _NAMED_ACTIONS = 4, 12
_MUCH_MORE = 1.15
_NUMBER = re.compile(r"[0-9][0-9.,]*")
_FEW_STEPS = 400
"""With fewer, tokenizers of real video draw patterns, as seen in the trials of the log."""


def say_found(settings: OwnSettings, found: Found) -> None:
    """Files, minutes and captions; what was left out and why; what is held out; what so much video is enough for."""
    seconds = found.seconds(tuple(found.files), settings.fps)
    captions = f"{found.captioned:,} of them with captions" if found.captioned else "without captions, so the prompt is empty"
    say(f"{settings.videos}: {in_words(seconds)} of video in {counted(len(found.files), 'file')}, {captions}.")
    if found.thin:
        say(f"Thin captions: {found.thin}. `framecast caption {shlex.quote(settings.videos)} --check` says more.")
    if found.excluded:
        others = counted(found.excluded, "other file")
        say(f"Used is what fits --include {spoken(settings.include)}, and not {others} of the folder.")
    if found.unnamed:
        say(f"Not used: {counted(found.unnamed, 'file')} of which captions.jsonl has no line.")
    if found.played is not None:
        say_played(settings, found, found.played)
    _say_files("Left out", found.left_out)
    _say_files("Damaged, used as far as it can be decoded", found.damaged)
    for remark in found.remarks:
        say(f"{remark[0].upper()}{remark[1:]}.")
    held = found.seconds(found.held_out, settings.fps)
    if found.part < 1:
        say(
            f"There is one file only, so its last {in_words(held * (1 - found.part))} are held out to judge by. They show the "
            "same scene as the rest. The report reads the whole file: its figures are of what was trained on."
        )
    else:
        say(f"Held out to judge by: {counted(len(found.held_out), 'file')}, {in_words(held)}: {named(found.held_out)}.")
    say(enough_for(found.seconds(found.trained, settings.fps) * found.part))


def say_played(settings: OwnSettings, found: Found, played: Played) -> None:
    """What can be done in the world that this becomes."""
    shown = named(played.action_space.names, _NAMED_ACTIONS)
    files = "" if played.files == len(found.files) else f" in {counted(played.files, 'file')}; those of the others are unknown"
    say(f"With actions, so it becomes a world to play in: {shown}{files}.")
    also = " and ".join(name for name, known in (("rewards", played.rewards), ("ends", played.ends)) if known)
    stride = found.recipe.time_stride
    grain = f"An action counts from the next latent frame on, which is {counted(stride, 'frame')}"
    grain += f": {1000 * stride / settings.fps:.0f} ms."
    say(grain + (f" It also learns {also}." if also else ""))
    if settings.action_delay:
        say(f"The picture answers {counted(settings.action_delay, 'stored frame')} after an action, as --action_delay says.")


def enough_for(seconds: float) -> str:
    """What a training on so much video gives, by the figures that are known."""
    if seconds < 600:
        return (
            "Under ten minutes of video is enough to try every step, and for a tokenizer of these videos. The video LM learns it "
            "by heart: 75 mixed clips were continued 8 dB worse than by repeating the last frame."
        )
    if seconds < 3600:
        return (
            "So much video is enough for one kind of scene, such as one place or one camera. 14 minutes of one room were "
            "predicted better than by repeating the last frame, from a third of a second on. Mixed scenes need more."
        )
    if seconds < 10 * 3600:
        return (
            "So much video is enough for one kind of scene, seen from many sides. There are no measured figures for so much "
            "video yet."
        )
    return "So much video is enough for several kinds of scenes, if the network and the time are, too. There are no figures yet."


def say_plan(plan: Plan) -> None:
    """Parts with their times, memory, where things will lie, and the two commands."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"the CPU, {torch.get_num_threads()} threads"
    say()
    say(f"Measured on this machine ({device}), by ten steps of each network:")
    seconds = plan.seconds | {"samples": seconds_of_samples(plan), "report": seconds_of_report(plan) if can_report() else 0.0}
    _say_row("tokenizer", _steps(plan.tokenizer), seconds["tokenizer"])
    _say_row("tokens", f"{counted(plan.token_clips, 'clip')}, {plan.codes:,} codes", seconds["tokens"])
    _say_row("video LM", _steps(plan.lm), seconds["lm"])
    _say_row("samples", "", seconds["samples"])
    if can_report():
        _say_row("report", _measured(plan), seconds["report"])
    asked = in_words(plan.settings.minutes * 60)
    say(f"Together {in_words(sum(seconds.values()))} (asked for: {asked}). Memory: {_memory(plan.memory)}.")
    if sum(plan.seconds.values()) > _MUCH_MORE * plan.settings.minutes * 60:
        say("That is more than asked for: it is about the least that this machine needs to try every step.")
    if plan.tokenizer.steps < _FEW_STEPS:
        share = _FEW_STEPS * plan.tokenizer.seconds_per_step / TOKENIZER_SHARE
        say(
            "So few steps show that all works, and draw patterns, no pictures. "
            f"For {_FEW_STEPS:,} steps of the tokenizer, ask for about {in_words(share)}."
        )
    if plan.is_capped:
        say("The video LM stops before its time is over: with more steps it would learn these videos by heart.")
    say(f"In {plan.out}/: tokenizer, tokens, lm, bundle (the model), samples, report; {plan.out}/plan.json keeps this plan.")
    say("It stands for these two commands:")
    for part in ("tokenizer", "lm"):
        print(f"  {command(plan, part)}", flush=True)


def say_done(plan: Plan, example: str, has_report: bool) -> None:
    """What to type next."""
    bundle = shlex.quote(str(plan.out / "bundle"))
    film = shlex.quote(os.path.join(plan.settings.videos, plan.found.held_out[0]))
    prompt, null = shlex.quote(example), "" if plan.found.captioned else " --guidance_scale 0"
    include = " ".join(shlex.quote(pattern) for pattern in _patterns(plan))
    say()
    say(f"Done. The model is {plan.out / 'bundle'}, its samples are in {plan.out / 'samples'}.")
    if has_report:
        say(f"The report is {plan.out / 'report' / 'index.html'}.")
    say("What to type next:")
    report = shlex.quote(str(plan.out / "report"))
    play = {"play it": f"framecast play {bundle}"} if plan.found.played is not None else {}
    rows = play | {
        "go on with a video": f"framecast continue {film} --prompt {prompt} --bundle {bundle}{null} --out next.mp4",
        "see what its tokens keep": f"framecast reconstruct {film} --bundle {bundle} --out both.mp4",
        "measure the model": f"framecast evaluate {bundle} {measured(plan)} --include {include} --out {report}",
        "serve it in a browser": f"framecast serve {bundle}",
        "see the trainings": f"tensorboard --logdir {shlex.quote(str(plan.out))}",
    }
    for what, line in rows.items():
        print(f"  # {what}\n  {line}", flush=True)


def _patterns(plan: Plan) -> list[str]:
    """What names the files that were held out, or the first of them, on a command line."""
    is_pattern = plan.settings.share is None and not plan.found.excluded  # it may fit files that are not included, too
    return [plan.settings.hold_out] if is_pattern else plan.found.held_out_patterns[:_NAMED]


def _say_files(what: str, files: Mapping[str, str]) -> None:
    """The first file of each kind of reason, and how many more there are of the kind."""
    if not files:
        return
    say(f"{what}: {counted(len(files), 'file')}.")
    kinds: dict[str, list[str]] = {}
    for file, reason in files.items():
        kinds.setdefault(_NUMBER.sub("0", reason), []).append(file)
    for alike in list(kinds.values())[:_NAMED]:
        more = f" and {len(alike) - 1:,} more" if len(alike) > 1 else ""
        say(f"{named((alike[0],))}{more}: {files[alike[0]]}", indent=2)
    if len(kinds) > _NAMED:
        say(f"and {sum(map(len, list(kinds.values())[_NAMED:])):,} more for other reasons", indent=2)


def _say_row(name: str, what: str, seconds: float) -> None:
    print(f"  {name:<16}{what:<43}{in_words(seconds):>12}", flush=True)


def _steps(part: Part) -> str:
    steps = f"{counted(part.steps, 'step')} of {counted(part.batch_size, 'clip')}"
    return f"{steps}, {part.parameters / 1e6:.1f}M, {part.seconds_per_step:.2g} s each"


def _measured(plan: Plan) -> str:
    """How much a report is of."""
    settings = settings_of(plan)
    frames = f", {settings.play_frames:,} frames of play" if settings.world is not None else ""
    return f"{counted(settings.clips, 'clip')}{frames}"


def _memory(expected: int) -> str:
    if torch.cuda.is_available():
        return f"about {spoken_size(expected)} of the GPU"
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"about {spoken_size(expected)} of {spoken_size(there)}"
