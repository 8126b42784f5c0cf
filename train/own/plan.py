"""The plan of a run: what is trained, for how many steps, and how long that will take; kept in `plan.json`."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from ...data.counted import counted
from ...data.files import replacing
from ...data.reading import parse_json, read_regular
from ...data.recorded import ACTIONS_FILE
from ...progress import Task
from .asked import digest_of, named
from .settings import OwnSettings, changed
from .sizes import NUM_FRAMES, TOKENIZERS, Rung, tokenizer_batch
from .speed import Speed, lm_speed, making_speed, peak_memory, tokenizer_speed
from .videos import Found, training_clips

PLAN_FILE = "plan.json"
TOKENIZER_SHARE, TOKENS_SHARE, LM_SHARE = 0.37, 0.10, 0.43
"""Shares of the time; the rest is for samples, the report and the starts."""
_WANTED_STEPS = 1200
"""Fewer steps than these teach a network less than a smaller network learns in the same time."""
_LEAST_STEPS = 20
VAL_CLIPS = 32
"""Clips of a validation."""
_FEWEST_VALIDATIONS, _MOST_VALIDATIONS, _MINUTES_OF_A_VALIDATION = 2, 10, 6
_BLOCKS = 3  # a video LM is validated with three block lengths
_MOST_PASSES = 60
"""How often a video LM may see each second of video; beyond that it learned videos by heart."""
_LONGEST_MEASURE = 10.0
_LARGEST_PLAN = 2**26
_CACHE = 2 * 1024**3  # bytes of decoded clips that a `VideoFolder` keeps


@dataclass(frozen=True)
class Part:
    """The training of one network."""

    size: str
    """Its rung on the ladder of sizes."""
    steps: int
    batch_size: int
    seconds_per_step: float
    seconds_of_checks: float
    """For all validations together."""
    parameters: int

    @property
    def seconds(self) -> float:
        """How long it will take."""
        return self.steps * self.seconds_per_step + self.seconds_of_checks


@dataclass(frozen=True)
class Plan:
    """All that a run will do."""

    settings: OwnSettings
    found: Found
    levels: tuple[int, ...]
    """Levels of the tokenizer's quantizer."""
    tokenizer: Part
    lm: Part
    token_clips: int
    """Clips that are tokenized for the video LM."""
    seconds_per_token_clip: float
    memory: int
    """Bytes that the trainings hold at most, about."""
    num_workers: int
    is_capped: bool
    """Whether the video LM stops before its time is over, since it would learn the videos by heart."""
    seconds_per_frame: float = 0.0
    """To make a frame with the trained networks; 0 if a plan of an earlier version does not say."""

    @property
    def codes(self) -> int:
        """Codes of the tokenizer."""
        return prod(self.levels)

    @property
    def measured_as(self) -> str:
        """What the report measures, as an option of `framecast evaluate`: a world, unless two lists of actions contradict."""
        contradicts = self.settings.actions is not None and (Path(self.settings.videos) / ACTIONS_FILE).is_file()
        return "world" if self.found.played is not None and not contradicts else "real"

    @property
    def out(self) -> Path:
        """Folder of the run."""
        return Path(self.settings.out)

    @property
    def seconds(self) -> dict[str, float]:
        """How long each part of the training will take."""
        tokens = self.token_clips * self.seconds_per_token_clip
        return {"tokenizer": self.tokenizer.seconds, "tokens": tokens, "lm": self.lm.seconds}

    def save(self) -> None:
        """Keeps the plan in the folder of the run."""
        self.out.mkdir(parents=True, exist_ok=True)
        with replacing(self.out / PLAN_FILE) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def make_plan(settings: OwnSettings, found: Found) -> Plan:
    """Measures the machine and chooses sizes and steps.

    Raises:
        ValueError: There is too little video for a step.
    """
    on_gpu, recipe = torch.cuda.is_available(), found.recipe
    batch, lm_clips = tokenizer_batch(settings.size, on_gpu), recipe.lm_batch(settings.size, on_gpu)
    _check_enough(settings, found, max(batch, lm_clips))
    seconds, budget = found.seconds(found.trained, settings.fps), settings.minutes * 60
    levels, workers = recipe.levels(seconds), 4 if on_gpu else 1
    source, limit = training_clips(settings, found), min(_LONGEST_MEASURE, max(1.0, budget / 60))

    def tokenizer_of(rung: Rung) -> Speed:
        shape = recipe.tokenizer_shape(rung.name, settings.size)
        return tokenizer_speed(shape, levels, recipe.loss, source, batch, workers, limit)

    def lm_of(rung: Rung) -> Speed:
        side = recipe.side(settings.size)
        shape = recipe.lm_shape(rung.name, found.longest_caption)
        return lm_speed(shape, prod(levels), (side, side), recipe.latent_frames, lm_clips, limit)

    validations = validations_of(settings)
    with Task("measuring ten steps of each network"):
        ladder = TOKENIZERS if on_gpu else TOKENIZERS[1:]
        tokenizer, speed = climb(ladder, tokenizer_of, TOKENIZER_SHARE * budget, batch, 1, validations)
        lm, _ = climb(recipe.lms(seconds, on_gpu), lm_of, LM_SHARE * budget, lm_clips, _BLOCKS, validations)
        frame_seconds = making_speed(
            recipe.tokenizer_shape(tokenizer.size, settings.size),
            levels,
            recipe.lm_shape(lm.size, found.longest_caption),
            (settings.size, settings.size, settings.fps),
            guided=found.captioned > 0,
        )
    most = max(10 * _LEAST_STEPS, round(_MOST_PASSES * seconds * settings.fps / NUM_FRAMES / lm_clips))
    capped = Part(**{**asdict(lm), "steps": min(lm.steps, most)})
    clip_seconds = speed.clip + speed.step / batch / 10  # the loading of a clip is a small part of its step
    affordable = max(lm_clips, round(TOKENS_SHARE * budget / clip_seconds))
    token_clips = min(found.num_train_clips, affordable, capped.steps * lm_clips)
    frames = min(_CACHE, sum(found.files.values()) * NUM_FRAMES * 3 * found.cut.size**2)
    memory = peak_memory() + (0 if on_gpu else frames)
    parts = (tokenizer, capped, token_clips, clip_seconds, memory, workers, most < lm.steps, frame_seconds)
    return Plan(settings, found, levels, *parts)


def validations_of(settings: OwnSettings) -> int:
    """Validations of each training: fewer in a short one, which they would take most of the time of."""
    return max(_FEWEST_VALIDATIONS, min(_MOST_VALIDATIONS, round(settings.minutes / _MINUTES_OF_A_VALIDATION)))


def climb(
    ladder: Sequence[Rung],
    measure: Callable[[Rung], Speed],
    budget: float,
    batch_size: int,
    looks: int = 1,
    validations: int = _MOST_VALIDATIONS,
) -> tuple[Part, Speed]:
    """The largest network of a ladder that makes enough steps in `budget` seconds; the smallest if none does.

    A network whose time is plain from that of a larger one is not measured. A validation looks at a clip `looks` times.
    """
    known: tuple[Rung, Speed] | None = None
    for rung in ladder:
        is_last = rung is ladder[-1]
        if known and not is_last and budget / (known[1].step * rung.cost / known[0].cost) < _WANTED_STEPS / 1.5:
            continue
        speed = measure(rung)
        known = rung, speed
        if budget / speed.step >= _WANTED_STEPS or is_last:
            break
    assert known is not None
    rung, speed = known
    checks = validations * VAL_CLIPS * looks * speed.clip
    steps = max(_LEAST_STEPS, int((budget - checks) / speed.step))
    return Part(rung.name, steps, batch_size, speed.step, checks, speed.parameters), speed


def check_out(settings: OwnSettings) -> None:
    """Tries the folder of the run before the work.

    Raises:
        ValueError: It lies in the folder of the videos, which its own clips would then belong to, or cannot be written.
    """
    out, videos = Path(settings.out), Path(settings.videos)
    if out.resolve().is_relative_to(videos.resolve()):
        beside = videos.resolve().parent / "runs" / videos.resolve().name
        raise ValueError(
            f"got --out {out}, which lies in the folder of the videos, {videos}; wanted another place, since the clips that a "
            f"run writes would be taken for videos to train on; name another, such as --out {beside}"
        )
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out):
            pass
    except OSError as error:
        raise ValueError(f"got --out {out}, which cannot be written ({error.strerror}); name another folder") from error
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


def kept_plan(settings: OwnSettings) -> Plan | None:
    """The plan of a run that was begun in the same folder; None if there is none.

    Raises:
        ValueError: The run was begun with other settings or other videos, or the folder holds something else.
    """
    out = Path(settings.out)
    if not (out / PLAN_FILE).is_file():
        if out.is_dir() and any(out.iterdir()):
            raise ValueError(
                f"got --out {out}, which holds files and no {PLAN_FILE} of a run; wanted an empty folder, or one that is not "
                "there yet; name another --out"
            )
        return None
    plan = _of_plain(out / PLAN_FILE)
    terms = {name: value for name in ("title", "licence") if (value := getattr(settings, name)) is not None}
    plan = replace(plan, settings=replace(plan.settings, **terms))  # they change no training
    other = changed(asdict(plan.settings), settings)
    if other or Path(plan.settings.videos).resolve() != Path(settings.videos).resolve():
        got = ", ".join(other) or f"the videos in {settings.videos} (was {plan.settings.videos})"
        raise ValueError(
            f"got {got}, and the run in {out} was begun otherwise; wanted the same line as before, which goes on where it "
            "stopped; to begin another run, name another --out"
        )
    if digest_of(settings) != plan.found.digest:
        raise ValueError(
            f"got other videos or captions in {settings.videos} than when the run in {out} was begun; wanted the same, since a "
            "run goes on with its own clips; put them back as they were, or begin another run with another --out"
        )
    return plan


def _of_plain(path: Path) -> Plan:
    try:
        values: Any = parse_json(read_regular(path, _LARGEST_PLAN))
        return Plan(
            **{
                **values,
                "settings": OwnSettings(**values["settings"]),
                "found": Found.of_plain(values["found"]),
                "levels": tuple(values["levels"]),
                "tokenizer": Part(**values["tokenizer"]),
                "lm": Part(**values["lm"]),
            }
        )
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"{path} is no plan of this version ({error}); name another --out to begin another run") from error


def _check_enough(settings: OwnSettings, found: Found, batch_size: int) -> None:
    if found.num_train_clips < batch_size:
        seconds = spoken_need(batch_size, settings.fps)
        raise ValueError(
            f"got {counted(found.num_train_clips, 'clip')} of {NUM_FRAMES} frames to train on, from "
            f"{named(found.trained)} in {settings.videos}; wanted at least {batch_size}, the clips of one step; add videos: "
            f"{seconds} are the least, ten minutes a start"
        )


def spoken_need(clips: int, fps: float) -> str:
    """The video that so many clips need."""
    return f"{clips * NUM_FRAMES / fps:.0f} seconds"
