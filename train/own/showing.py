"""What the trained model shows: held-out videos continued, beside what truly came, and clips of prompts."""

import json
import textwrap
import warnings
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from einops import repeat
from torch import Tensor

from ...data import CaptionedClip, VideoFolder, contact_sheet, write_video
from ...data.files import replacing
from ...data.reading import parse_json, read_regular
from ...evaluate.card import source_digest
from ...notices import Notice
from ...progress import Task
from ...sample import SamplingParams, VideoGenerator
from ...sample.prompts import NO_CAPTION
from ..continuing import held_actions
from .plan import Plan
from .sizes import NUM_FRAMES
from .telling import say
from .videos import held_out_captions, held_out_clips

_MADE = ".made.json"
"""What the samples were made of."""
_LARGEST_NOTE = 2**20
GIVEN = 9
"""Frames that a continuation is given."""
_LONG = 33
_MOST, _MOST_HELD = 4, 6
_COLD = 0.6  # on little video, likely tokens look better than varied ones
_LONGEST_LABEL = 80
_LEAST_HEIGHT = 128  # pixels of a clip that is to be looked at


@dataclass(frozen=True)
class Shown:
    """A continuation beside the truth."""

    name: str
    prompt: str
    true: Tensor
    """uint8 `[T, H, W, 3]`."""
    made: Tensor
    """uint8 `[T, H, W, 3]`; its first `GIVEN` frames are those that were given, as tokens keep them."""


def write_samples(plan: Plan, generator: VideoGenerator) -> Path:
    """Writes the clips and a contact sheet of the continuations, unless they are there; returns the sheet's path."""
    folder, key = plan.out / "samples", _key(plan, generator)
    sheet = folder / "continuations.png"
    if _are_made(folder, key):
        say("samples: made already.")
        return sheet
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MADE).unlink(missing_ok=True)
    with Task("making samples"), warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)  # of words and videos that were held out: the samples show what they say
        shown = [continuation(clip, generator, plan) for clip in _held_out(plan)]
        for number, one in enumerate(shown, 1):
            both = torch.cat([one.true, one.made], dim=2)  # true left, made right
            write_video(folder / f"continuation_{number}.mp4", enlarged(both), plan.settings.fps)
        if shown and generator.action_space is not None:
            _write_held(plan, generator, _held_out(plan)[0], folder)
        for number, prompt in enumerate(prompts_of(plan), 1):
            clip = generator.generate([(0.0, prompt)], _LONG, seed=plan.settings.seed, params=params_of(plan))
            write_video(folder / f"prompt_{number}.mp4", enlarged(clip.frames), plan.settings.fps)
            (folder / f"prompt_{number}.txt").write_text(f"{prompt}\n", encoding="utf-8")
        rows = [frames for one in shown for frames in (one.true, one.made)]
        labels = [label for one in shown for label in (f"{one.name}: true", _label(one))]
        contact_sheet(rows, labels, every=4).save(sheet)
    _note(folder, key)
    return sheet


def _key(plan: Plan, generator: VideoGenerator) -> str:
    """What samples depend on: the networks, the videos, what was asked for, and the code that makes them."""
    settings = {**asdict(plan.settings), **dict.fromkeys(("out", "title", "licence", "videos"))}
    facts = [source_digest(), generator.hashes, settings, plan.found.digest, plan.found.held_out]
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _note(folder: Path, key: str) -> None:
    """Notes what the samples were made of, with their names."""
    names = sorted(path.name for path in folder.iterdir() if path.name != _MADE)
    with replacing(folder / _MADE) as temporary:
        temporary.write_text(json.dumps({"key": key, "files": names}), encoding="utf-8")


def _are_made(folder: Path, key: str) -> bool:
    """Whether all samples are there, made of the same."""
    try:
        made: Any = parse_json(read_regular(folder / _MADE, _LARGEST_NOTE))
        return made["key"] == key and all((folder / name).is_file() for name in made["files"])
    except (ValueError, LookupError, TypeError):
        return False


def seconds_of_samples(plan: Plan) -> float:
    """About how long the samples take, by the frames that they have."""
    clips, held = min(_MOST, len(plan.found.held_out)), 0 if plan.found.played is None else _MOST_HELD
    return ((clips + held) * (_LONG - GIVEN) + len(prompts_of(plan)) * _LONG) * plan.seconds_per_frame


def continuation(clip: CaptionedClip, generator: VideoGenerator, plan: Plan) -> Shown:
    """A held-out clip, continued from its first frames."""
    timeline = [(caption.start / clip.fps, caption.text or NO_CAPTION) for caption in clip.captions]
    params = params_of(plan) if any(caption.text for caption in clip.captions) else params_of(plan, guidance_scale=0.0)
    first, actions = (None, None) if clip.actions is None else (clip.actions[:GIVEN], clip.actions[GIVEN:])
    made = generator.generate(
        timeline, len(clip.frames), plan.settings.seed, params, clip.frames[:GIVEN], actions=actions, first_actions=first
    )
    return Shown(clip.name, clip.captions[0].text, clip.frames, made.frames)


def _write_held(plan: Plan, generator: VideoGenerator, clip: CaptionedClip, folder: Path) -> None:
    """Writes what becomes of a held-out clip if one action after the other is held."""
    space = generator.action_space
    assert space is not None
    for name, action in held_actions(space, _MOST_HELD).items():
        made = continuation(replace(clip, actions=_held(clip, action)), generator, plan).made
        write_video(folder / f"held_{name.replace(' ', '_')}.mp4", enlarged(made), plan.settings.fps)


def _held(clip: CaptionedClip, action: Tensor) -> Tensor:
    """The actions of a clip, float32 `[T, A]`, of which those after the given frames are one."""
    known = torch.full((GIVEN, len(action)), torch.nan) if clip.actions is None else clip.actions[:GIVEN]
    return torch.cat([known, action.expand(len(clip.frames) - GIVEN, -1)])


def params_of(plan: Plan, guidance_scale: float | None = None) -> SamplingParams:
    """Likely tokens; guidance only if there are captions to follow: without them the LM was trained on the null prompt alone."""
    scale = (SamplingParams.guidance_scale if plan.found.captioned else 0.0) if guidance_scale is None else guidance_scale
    return SamplingParams(temperature=_COLD, guidance_scale=scale)


def prompts_of(plan: Plan) -> list[str]:
    """Different captions of the held-out videos, in their order; a stand-in if nothing is said of any."""
    return held_out_captions(plan.settings, plan.found)[:_MOST] or [NO_CAPTION]


def enlarged(frames: Tensor) -> Tensor:
    """uint8 `[T, H, W, 3]` with every pixel repeated until a person can see it."""
    times = max(1, _LEAST_HEIGHT // frames.shape[1])
    return repeat(frames, "t h w c -> t (h y) (w x) c", y=times, x=times)


def _label(one: Shown) -> str:
    said = f": {one.prompt}" if one.prompt else ""
    return textwrap.shorten(f"continued from frame {GIVEN} on{said}", _LONGEST_LABEL, placeholder=" ...")


def _held_out(plan: Plan) -> list[CaptionedClip]:
    """A clip of each of the first held-out files, longer than those of the training if the files are."""
    folder = _folder(plan)
    firsts: dict[str, int] = {}
    place = 0
    for file, clips in folder.clips_of_files.items():
        firsts[file] = place
        place += clips
    return [folder[index] for index in list(firsts.values())[:_MOST]]


def _folder(plan: Plan) -> VideoFolder:
    try:
        return held_out_clips(plan.settings, plan.found, _LONG)
    except ValueError:  # the files are too short
        return held_out_clips(plan.settings, plan.found, NUM_FRAMES)
