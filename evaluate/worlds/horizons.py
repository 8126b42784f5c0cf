"""How near a played world is to the true one, by horizon, beside what costs nothing, what tokens allow, and other actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...data import to_video
from ..figures import Curve, Figure, Sample, Section, mean_of, share_of, worst_and_typical
from ..flow import LEAST_SIZE, in_view_at_start
from ..real.continuation import by_frame
from ..real.panels import side_by_side
from ..real.references import repeated
from ..study import Progress, Study, part_of, reconstruct
from .recording import Recording, Start
from .trying import Rows, random_actions

TRUE, OTHER, RANDOM = "true actions", "another episode's actions", "random actions"
REPEATED, RECONSTRUCTED = "last frame repeated", "reconstructed"
HORIZONS = (1, 4, 16, 64)
_HOLD = 0.33  # seconds for which a random action is held
_SEED = 7000
_LEAST_IN_VIEW = 0.05  # of the pixels
_SPAN = 16  # frames, of which the targets speak
_STILL = 26.0  # dB, which the last frame repeated has where nothing moves
MOVING, ALL = "stretches that move", "all stretches"

ByName = dict[str, list[np.ndarray]]
"""By the name of what stands for the future: for each start a value for each frame."""


@dataclass(frozen=True)
class _Found:
    """What was measured, start by start."""

    quality: dict[str, ByName]
    in_view: ByName
    shares: list[np.ndarray]
    groups: list[int]

    @property
    def moves(self) -> np.ndarray:
        """Which stretches move, bool: where nothing moves, the last frame repeated is nearer to the truth than any dream."""
        return np.array(_over(self.quality["PSNR"][REPEATED], _SPAN)) < _STILL


def world_horizon(study: Study, progress: Progress) -> Section:
    """Held-out moments that are played on with the true actions and with others: PSNR and SSIM by horizon."""
    recording = study.recording
    dreams = _dreams(study, recording, part_of(progress, 0, 2))
    whole = [reconstruct(study, start.clip.frames)[recording.given :] for start in recording.starts]
    found = _measured(recording, dreams, whole, part_of(progress, 1, 2))
    times = (np.arange(recording.made) + 1).tolist()
    return Section(
        "horizon-world",
        "World: how near to the true one",
        f"{recording.about}\n{_about(recording)}",
        (*_headlines(found, recording.made), *_quality_figures(found, recording.made), *_figures_in_view(found, recording.made)),
        tuple(_curves(found, times)),
        _samples(recording, dreams, whole, found),
    )


def _dreams(study: Study, recording: Recording, progress: Progress) -> dict[str, list[Tensor]]:
    """What the bundle makes of each start under each kind of actions."""
    hold = max(1, round(_HOLD * study.bundle.fps))
    told: dict[str, list[Rows]] = {
        TRUE: [start.played for start in recording.starts],
        OTHER: [recording.another(at).played for at in range(len(recording.starts))],
        RANDOM: [random_actions(recording.rows, recording.made, hold, _SEED + at) for at in range(len(recording.starts))],
    }
    return {
        name: study.dream(recording.starts, rows, part_of(progress, at, len(told)))
        for at, (name, rows) in enumerate(told.items())
    }


def _measured(recording: Recording, dreams: dict[str, list[Tensor]], whole: Sequence[Tensor], progress: Progress) -> _Found:
    found = _Found({"PSNR": {}, "SSIM": {}}, {}, [], recording.groups)
    for at, start in enumerate(recording.starts):
        true = to_video(start.future)[None]
        futures = {name: to_video(made[at])[None] for name, made in dreams.items()}
        last = repeated(to_video(start.frames[-1:])[None], 0, recording.made)
        futures |= {REPEATED: last, RECONSTRUCTED: to_video(whole[at])[None]}
        seen = _in_view(start)
        for name, video in futures.items():
            for metric, values in by_frame(video, true).items():
                found.quality[metric].setdefault(name, []).append(values)
            if seen is not None:
                found.in_view.setdefault(name, []).append(_masked_psnr(video, true, seen))
        if seen is not None:
            found.shares.append(seen.mean(axis=(1, 2)))
        progress((at + 1) / len(recording.starts))
    return found


def _in_view(start: Start) -> np.ndarray | None:
    """Which pixels of each frame that followed show what the last given frame showed, bool `[T, H, W]`."""
    if min(start.frames.shape[1:3]) < LEAST_SIZE:
        return None
    return in_view_at_start(start.clip.frames[start.given - 1 :])[1:]


def _masked_psnr(video: Tensor, true: Tensor, seen: np.ndarray) -> np.ndarray:
    """PSNR of the pixels that count in each frame; NaN if they are too few."""
    squares = (video.clamp(-1, 1) - true).square().mean(dim=1)[0].numpy()  # [T, H, W]
    counts = seen.sum(axis=(1, 2))
    error = (squares * seen).sum(axis=(1, 2)) / np.maximum(counts, 1)
    values: np.ndarray = 10 * np.log10(4 / np.maximum(error, 1e-10))
    return np.where(counts >= _LEAST_IN_VIEW * seen[0].size, values, np.nan)


def _over(rows: Sequence[np.ndarray], horizon: int) -> list[float]:
    """The mean of each row up to a horizon, without what is NaN."""
    parts = [row[:horizon][~np.isnan(row[:horizon])] for row in rows]
    return [float(part.mean()) if len(part) else float("nan") for part in parts]


def _horizons(made: int) -> list[int]:
    return sorted({min(horizon, made) for horizon in HORIZONS})


def _headlines(found: _Found, made: int) -> list[Figure]:
    """What the targets speak of: true actions above repeating the last frame, and above other actions, start by start."""
    names = {MOVING: found.moves, ALL: np.ones_like(found.moves)}
    figures = [_above(found, horizon, *which) for which in names.items() for horizon in _horizons(made)]
    name = f"{MOVING}: the last frame repeated has less than {_STILL:g} dB over the first {min(_SPAN, made)} frames"
    moving = share_of(name, found.moves.tolist(), found.groups, better="")
    return [moving, *(figure for part in figures for figure in part)]


def _above(found: _Found, horizon: int, which: str, chosen: np.ndarray) -> list[Figure]:
    """The differences to what is beside the true actions at one horizon, of some of the stretches."""
    rows, span, due = found.quality["PSNR"], _span(horizon), horizon == _SPAN
    own, figures = np.array(_over(rows[TRUE], horizon)), []
    for name, title, row, target in (
        (REPEATED, f"true actions above the last frame repeated: PSNR {span}", "PSNR above the last frame repeated", ">= 3 (W2)"),
        (RANDOM, f"delta-PSNR {span}: true actions above random ones", "delta-PSNR against random actions", ">= 2 (W2)"),
        (OTHER, f"delta-PSNR {span}: true actions above those of another episode", "delta-PSNR against another episode's", ""),
    ):
        apart = np.where(chosen, own - np.array(_over(rows[name], horizon)), np.nan).tolist()
        given: dict[str, Any] = {"target": target if due and which == MOVING else "", "headline": due}
        given["lacking"] = "" if chosen.any() else "no stretch moves"
        given["grid"] = ("What the true actions are worth, by horizon", f"{row}, {which}", _frames(horizon))
        figures.append(mean_of(f"{title}, {which}", apart, clips=found.groups, unit="dB", **given))
    return figures


def _frames(horizon: int) -> str:
    """The column of a horizon."""
    return "1 frame" if horizon == 1 else f"{horizon} frames"


def _span(horizon: int) -> str:
    return f"over the first {horizon} frames" if horizon > 1 else "of the first frame"


def _quality_figures(found: _Found, made: int) -> list[Figure]:
    figures = []
    for metric, by_name in found.quality.items():
        for horizon in _horizons(made):
            for name, rows in by_name.items():
                if metric == "SSIM" and name == RANDOM:
                    continue  # in the plot; a table of everything is read by nobody
                better = "higher" if name == TRUE else ""
                unit = "dB" if metric == "PSNR" else ""
                title = f"{metric} {_span(horizon)}: {name}"
                given: dict[str, Any] = {"unit": unit, "better": better, "grid": (f"{metric} by horizon", name, _frames(horizon))}
                figures.append(mean_of(title, _over(rows, horizon), clips=found.groups, **given))
    return figures


def _figures_in_view(found: _Found, made: int) -> list[Figure]:
    """The same for what was in view at the start, which alone can be known."""
    return [figure for horizon in _horizons(made)[1:] for figure in _in_view_at(found, horizon)] if found.in_view else []


def _in_view_at(found: _Found, horizon: int) -> list[Figure]:
    """The figures of what was in view at one horizon."""
    where, table = f"what was in view at the start, {_span(horizon)}", "Of what was in view at the start, by horizon"
    values = {name: _over(found.in_view[name], horizon) for name in (TRUE, REPEATED, RECONSTRUCTED, OTHER)}
    apart = np.where(found.moves, np.subtract(values[TRUE], values[REPEATED]), np.nan).tolist()
    shares = [100 * float(share[:horizon].mean()) for share in found.shares]
    rows: list[tuple[str, str, list[float], dict[str, Any]]] = [
        (f"PSNR of {where}: {name}", f"PSNR: {name}", row, {"unit": "dB", "better": "higher" if name == TRUE else ""})
        for name, row in values.items()
    ]
    name, row = "true actions above the last frame repeated", f"PSNR above the last frame repeated, {MOVING}"
    rows.append((f"{name}: PSNR of {where}, {MOVING}", row, apart, {"unit": "dB", "headline": horizon == _SPAN}))
    rows.append((f"share of the picture that is {where}", "share of the picture", shares, {"unit": "%", "better": ""}))
    return [
        mean_of(name, each, clips=found.groups, grid=(table, row, _frames(horizon)), **given) for name, row, each, given in rows
    ]


def _curves(found: _Found, times: list[int]) -> list[Curve]:
    x, curves = tuple(map(float, times)), []
    for metric, label in (("PSNR", "dB"), ("SSIM", "SSIM")):
        for name, rows in found.quality[metric].items():
            curves.append(
                Curve(f"{metric} by horizon", name, x, _row(np.mean(rows, axis=0)), "frames after the given ones", label)
            )
    own = np.mean(found.quality["PSNR"][TRUE], axis=0)
    for name in (RANDOM, OTHER):
        y = _row(own - np.mean(found.quality["PSNR"][name], axis=0))
        title = "delta-PSNR by horizon: true actions above others"
        curves.append(Curve(title, f"above {name}", x, y, "frames after the given ones", "dB"))
    for name, rows in found.in_view.items():
        y = _row([np.mean(part[~np.isnan(part)]) if (~np.isnan(part)).any() else np.nan for part in np.stack(rows, axis=1)])
        title = "PSNR by horizon of what was in view at the start"
        curves.append(Curve(title, name, x, y, "frames after the given ones", "dB"))
    return curves


def _row(values: Sequence[float] | np.ndarray) -> tuple[float, ...]:
    return tuple(map(float, values))


def _samples(recording: Recording, dreams: dict[str, list[Tensor]], whole: Sequence[Tensor], found: _Found) -> tuple[Sample, ...]:
    rows, samples = found.quality["PSNR"], []
    for at, start in enumerate(recording.starts):
        futures = (start.future, whole[at], dreams[TRUE][at], dreams[RANDOM][at])
        shown = side_by_side([_joined(start.frames, future) for future in futures], recording.given, (False, False, True, True))
        own, still = (float(rows[name][at].mean()) for name in (TRUE, REPEATED))
        note = f"true | reconstructed | dreamt with {own:.1f} dB | random actions; the last frame repeated has {still:.1f} dB"
        samples.append(Sample(start.clip.name, note, still - own, shown))
    return worst_and_typical(samples, 4)


def _joined(given: Tensor, future: Tensor) -> Tensor:
    return torch.cat([given, future])


def _about(recording: Recording) -> str:
    return (
        f"The bundle plays on for {recording.made} frames from the {recording.given} given ones: with the actions that were "
        "truly done, with those of another episode, and with random ones. The seed is the same, so the difference is that of the "
        "actions. delta-PSNR is by how much the true actions bring the video nearer to what truly came; 0 means that "
        "keys do nothing. The last frame repeated costs nothing. The true video through the tokenizer is the best that these "
        "tokens allow.\n"
        f"Where nothing moves, the last frame repeated is nearly the truth, so it is told apart: {MOVING} are those of which "
        f"the last frame repeated has less than {_STILL:g} dB over the first {min(_SPAN, recording.made)} frames. All "
        "differences are taken stretch by stretch. Intervals draw whole videos.\n"
        "What enters the view cannot be known. So the figures stand also for the pixels that show what the last given frame "
        "showed, traced back by optical flow of the true video. Frames of which less than 5 % was in view do not count.\n"
        "In the clips below, the line is grey as long as frames are given and orange from where they are made."
    )
