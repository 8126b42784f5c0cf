"""What long streams keep of the true frames they begin with: sharpness, brightness, contrast, colour, motion."""

from dataclasses import dataclass, fields

import numpy as np
from torch import Tensor

from ...data import to_video
from ..figures import Curve, Figure, Sample, Section, mean_of, share_of, worst_and_typical
from ..metrics import frozen_share, motion_by_frame, sharpness_by_frame
from ..study import Progress, Study

_WINDOW = 16  # frames that are measured together
_STEADY = 33.0  # percent
_LEAST = {"sharpness": 0.5, "brightness": 4.0, "contrast": 1.0, "colour": 1.0, "motion": 0.5}
"""Levels below which a change is not told from rounding."""


@dataclass(frozen=True)
class Look:
    """What a window of a stream looks like, in levels of 0 to 255.

    Attributes:
        sharpness: Root mean square gradient.
        brightness: Mean of all pixels.
        contrast: Standard deviation of the brightness within a frame.
        colour: Mean distance between the strongest and the weakest channel of a pixel.
        motion: Mean difference between frames.
    """

    sharpness: float
    brightness: float
    contrast: float
    colour: float
    motion: float


_MEASURES = tuple(field.name for field in fields(Look))


def video_drift(study: Study, progress: Progress) -> Section:
    """Long streams that begin with held-out clips, against their own start."""
    settings, held_out = study.settings, study.held_out
    clips = held_out.clips[: settings.long_clips]
    length = study.bundle.tokenizer.stride.trimmed(settings.long_frames)
    made = study.go_on(clips, [study.captions(clip) for clip in clips], progress, length)
    # The given frames are true ones, which are sharper than what tokens keep, so a stream is compared with what it made first.
    streams = [looks(frames[held_out.given :]) for frames in made]
    changes = {name: np.array([_change(stream, name) for stream in streams]) for name in _MEASURES}
    still = [float(frozen_share(to_video(frames[-2 * _WINDOW :])[None])) for frames in made]
    samples = [
        Sample(clip.captions[0].text or clip.name, _note(changes, index), float(_worst_change(changes)[index]), frames)
        for index, (clip, frames) in enumerate(zip(clips, made, strict=True))
    ]
    return Section(
        "drift-videos",
        "Real video: drift",
        f"{len(clips)} streams begin with the first {held_out.given} frames of held-out clips and go on for "
        f"{length - held_out.given} frames ({(length - held_out.given) / study.bundle.fps:.0f} s). A stream drifts if it slowly "
        f"becomes blurred, dark, bright, grey, garish, frozen or wild. It is measured in windows of {_WINDOW} frames, and each "
        "measure is compared with the first window that the stream made. A stream is steady if sharpness, brightness, contrast "
        f"and colour of its last two windows are within {_STEADY:.0f} % of that. A true video changes too, so look at the clips "
        "before you judge. Motion stands beside these: a frozen stream does not drift.",
        (
            share_of("streams that stay steady", list(_worst_change(changes) <= _STEADY), headline=True),
            *_figures(changes),
            share_of("steps of the last two windows in which nothing moves", still, better=""),
        ),
        tuple(_curves(streams)),
        worst_and_typical(samples, 3),
    )


def looks(frames: Tensor) -> list[Look]:
    """Measures a stream uint8 `[T, H, W, 3]` window by window; a rest is left out."""
    found = []
    for start in range(0, len(frames) - _WINDOW + 1, _WINDOW):
        window = frames[start : start + _WINDOW]
        video, levels = to_video(window)[None], window.float()
        found.append(
            Look(
                sharpness=float(sharpness_by_frame(video).mean()),
                brightness=float(levels.mean()),
                contrast=float(levels.mean(dim=3).flatten(1).std(dim=1).mean()),
                colour=float((levels.amax(dim=3) - levels.amin(dim=3)).mean()),
                motion=float(motion_by_frame(video).mean()),
            )
        )
    return found


def _change(stream: list[Look], name: str) -> float:
    """By how many percent a measure has changed from the first window to the last two."""
    values = np.maximum([getattr(look, name) for look in stream], _LEAST[name])
    return float(100 * (values[-2:].mean() / values[0] - 1))


def _worst_change(changes: dict[str, np.ndarray]) -> np.ndarray:
    """Of each stream its largest change, but for that of motion, which may change for good reason."""
    return np.max([np.abs(values) for name, values in changes.items() if name != "motion"], axis=0)


def _figures(changes: dict[str, np.ndarray]) -> list[Figure]:
    figures = []
    for name, values in changes.items():
        better = "" if name == "motion" else "lower"
        figures.append(mean_of(f"change of {name} in a stream, either way", np.abs(values).tolist(), unit="%", better=better))
        figures.append(mean_of(f"change of {name}, all streams together", values.tolist(), unit="%", better=""))
    return figures


def _curves(streams: list[list[Look]]) -> list[Curve]:
    x = tuple(float(_WINDOW * index + _WINDOW // 2) for index in range(len(streams[0])))
    title, label = "Long streams, relative to their start", "median of the streams; 1 is as at the start"
    curves = []
    for name in _MEASURES:
        values = np.maximum([[getattr(look, name) for look in stream] for stream in streams], _LEAST[name])
        y = np.median(values / values[:, :1], axis=0)
        curves.append(Curve(title, name, x, tuple(map(float, y)), "frame", label))
    return curves


def _note(changes: dict[str, np.ndarray], index: int) -> str:
    said = ", ".join(f"{name} {changes[name][index]:+.0f} %" for name in _MEASURES)
    return f"from the first window to the last: {said}"
