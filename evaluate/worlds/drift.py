"""What long play keeps of its look: sharpness and colours over thousands of frames, by a policy that sees where it goes."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...data import contact_sheet
from ...data.counted import counted
from ..figures import Curve, Figure, Sample, Section, interval, mean_of, share_of
from ..real.drift import Look, looks
from ..study import Progress, Study, part_of
from .imitation import train_imitator
from .recording import Recording, Start

_PART = 8  # the last of so many equal parts of a stream is its end
_WINDOW = 16  # frames of a look
_LEAST = {"sharpness": 0.5, "brightness": 4.0, "contrast": 1.0, "colour": 1.0}
_WITHIN = 5.0  # percent
_EVERY = 100  # frames, on the sheet
_COLUMNS = 7
_SEED = 9000


def world_drift(study: Study, progress: Progress) -> Section:
    """Streams of thousands of frames that an imitator of the recording plays, compared with their own beginning."""
    recording, settings = study.recording, study.settings
    starts = recording.few(settings.long_clips)
    policy = train_imitator(recording, part_of(progress, 0, 3), _SEED)
    made = study.play(starts, policy, settings.play_frames, lambda share: progress((1 + 2 * share) / 3))
    streams, first = [looks(frames) for frames in made], max(1, round(study.bundle.fps / _WINDOW))
    true = _true_looks(recording)
    return Section(
        "drift-world",
        "World: drift in long play",
        f"{recording.about}\n{_about(len(starts), settings.play_frames, study.bundle.fps)}",
        tuple(_figures(streams, true, settings.play_frames, first)),
        tuple(_curves(streams, true)),
        tuple(
            _sheet(number, start, frames, _ends_by_name(stream, first))
            for number, (start, frames, stream) in enumerate(zip(starts, made, streams, strict=True), 1)
        ),
    )


def _true_looks(recording: Recording) -> dict[str, float]:
    """The look of the true video, the mean of all clips."""
    clips = [start.clip.frames for start in recording.starts] + [other.frames for other in recording.others]
    found = [look for frames in clips for look in looks(frames)] or [_whole_look(clips[0])]
    return {name: float(np.mean([getattr(look, name) for look in found])) for name in _LEAST}


def _whole_look(frames: Tensor) -> Look:
    """The look of a clip that is shorter than a window."""
    return looks(frames.repeat(16, 1, 1, 1)[:16])[0]


def _ends_by_name(stream: Sequence[Look], first: int) -> dict[str, tuple[float, float]]:
    """For each measure its mean over the first windows of a stream and over its last part."""
    last = max(1, len(stream) // _PART)
    found = {}
    for name, least in _LEAST.items():
        values = np.maximum([getattr(look, name) for look in stream], least)
        found[name] = float(values[:first].mean()), float(values[-last:].mean())
    return found


def _figures(streams: Sequence[Sequence[Look]], true: dict[str, float], frames: int, first: int) -> list[Figure]:
    figures, target = [], "<= 5 (W5)" if frames >= 2000 else ""
    by_stream = [_ends_by_name(stream, first) for stream in streams]
    for name in _LEAST:
        ends = np.array([found[name] for found in by_stream])
        change = 100 * (ends[:, 1] / ends[:, 0] - 1)
        due = target if name in ("sharpness", "colour") else ""
        figures.append(_together(f"change of {name}, all streams together, either way", ends, target=due))
        figures.append(mean_of(f"change of {name} in a stream, either way", np.abs(change).tolist(), unit="%", better="lower"))
        against = 100 * (ends[:, 1] / max(true[name], _LEAST[name]) - 1)
        figures.append(mean_of(f"{name} at the end against true video", against.tolist(), unit="%", better=""))
    steady = [_worst(found) <= _WITHIN for found in by_stream]
    figures.append(share_of(f"streams of which each measure stays within {_WITHIN:g} %", steady))
    return figures


def _worst(ends: dict[str, tuple[float, float]]) -> float:
    """The largest change of any measure, in percent."""
    return max(abs(100 * (end / beginning - 1)) for beginning, end in ends.values())


def _together(name: str, ends: np.ndarray, **attributes) -> Figure:
    """By how many percent the mean of all streams has changed, either way; with the interval of other draws of streams.

    What comes into view differs from stream to stream and cancels; what all streams lose does not.
    """
    draws = ends[np.random.default_rng(0).integers(len(ends), size=(2000, len(ends)))].mean(axis=1)
    changes, value = np.abs(100 * (draws[:, 1] / draws[:, 0] - 1)), abs(100 * (ends[:, 1].mean() / ends[:, 0].mean() - 1))
    return Figure(name, float(value), *interval(changes, len(ends)), len(ends), "%", "lower", **attributes)


def _curves(streams: Sequence[Sequence[Look]], true: dict[str, float]) -> list[Curve]:
    x = tuple(float(16 * index + 8) for index in range(len(streams[0])))
    curves = []
    for name in _LEAST:
        values = np.mean([[getattr(look, name) for look in stream] for stream in streams], axis=0)
        y = tuple((values / max(true[name], _LEAST[name])).tolist())
        curves.append(Curve("Long play against true video", name, x, y, "frame", "mean of the streams; 1 is as in true video"))
    return curves


def _sheet(number: int, start: Start, frames: Tensor, changes: dict[str, tuple[float, float]]) -> Sample:
    """Every hundredth frame of a stream, from the last given one on, as one picture."""
    every = max(1, min(_EVERY, len(frames) // _COLUMNS))
    chosen = torch.cat([start.frames[-1:], frames[every - 1 :: every]])
    rows = [chosen[first : first + _COLUMNS] for first in range(0, len(chosen), _COLUMNS)]
    places = [at * every for at in range(len(chosen))]
    ends = [places[first : first + _COLUMNS] for first in range(0, len(chosen), _COLUMNS)]
    labels = [f"frame {row[0]:,}" + (f" to {row[-1]:,}" if len(row) > 1 else "") for row in ends]
    picture = torch.from_numpy(np.asarray(contact_sheet(rows, labels)).copy())[None]
    said = ", ".join(f"{name} {100 * (end / first - 1):+.0f} %" for name, (first, end) in changes.items())
    label, note = f"{start.clip.name}: every {every}th frame", f"from the first second to the last eighth: {said}"
    return Sample(label, note, _worst(changes), picture, f"drift-{number:02}.png")


def _about(count: int, frames: int, fps: float) -> str:
    return (
        f"{counted(count, 'stream')} of {counted(frames, 'frame')} ({frames / fps:.0f} s): a world is played by a small network "
        "that learned from the recording what is done next, given the last frames, and that sees what it plays. So the policy is "
        "like that of the recording, and it answers to where it is. "
        "Sharpness, brightness, contrast and colour of the last eighth are compared with those of the first second. A world "
        "changes as one goes through it. So read what is common to all streams, and look at the sheets: is it still the same "
        "place? The sheets lie beside the report as `drift-01.png` and so on."
    )
