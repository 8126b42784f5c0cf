"""What a stream keeps over a long time: identity, sharpness, background, light, and that it still moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..data import to_video
from ..data.sprites import BOUNCES, LINEAR
from .figures import Curve, Figure, Sample, Section, mean_of, median_of, share_of, worst
from .metrics import motion_by_frame, sharpness_by_frame
from .motion import Track
from .reading import Reading, ReadObject, SceneReader
from .study import Progress, Study
from .templates import Look

_WINDOW = 16  # frames that are read together
_EARLY = 32  # the frame with which later ones are compared


@dataclass(frozen=True)
class Stretch:
    """One window of a stream.

    Attributes:
        identity: Whether there is one object, most of the time, with the colour, shape and size that were asked for.
        sharpness: Root mean square gradient, in levels per pixel.
        background: Mean brightness of the darker half of the pixels, in levels.
        motion: Mean difference between frames, in levels.
        speed: Pixels per frame that the object moves; NaN if it is not found.
    """

    identity: bool
    sharpness: float
    background: float
    motion: float
    speed: float


def drift(study: Study, progress: Progress) -> Section:
    """Long streams of one object that keeps moving: the second half of Q3."""
    settings = study.settings
    looks = _looks(study)
    prompts = [f"{look} {motion}" for look, motion in looks]
    clips = study.generate(prompts, settings.long_frames, lambda x: progress(0.7 * x))
    streams = []
    for index, ((look, _), clip) in enumerate(zip(looks, clips, strict=True)):
        streams.append(stretches(study.reader, clip, look))
        progress(0.7 + 0.3 * (index + 1) / len(clips))
    kept, steady = _targets(settings.long_frames)
    resting = [float(np.mean([not stretch.speed >= 0.1 for stretch in stream])) for stream in streams]
    asked = [1 - _wrong(stream) for stream in streams]
    figures = (
        share_of(
            f"streams that keep their identity over {settings.long_frames - 1} frames", list(map(_keeps, streams)), target=kept
        ),
        share_of("windows with the object as asked for, and nothing else", asked),
        *_changes(streams, "sharpness", steady),
        *_changes(streams, "background", steady),
        share_of("windows in which the object does not move", resting, better="lower", target=steady),
        median_of("motion at the end over motion at the start", [_motion_kept(stream) for stream in streams], better=""),
    )
    x = tuple(float(_WINDOW * index + _WINDOW // 2) for index in range(len(streams[0])))
    curves = [
        Curve(plot, "streams", x, tuple(_mean_by_window(streams, name)), "frame", label)
        for name, plot, label in (
            ("identity", "Identity against frame index", "share of streams as asked for"),
            ("sharpness", "Sharpness against frame index", "levels per pixel"),
            ("background", "Background against frame index", "levels"),
            ("motion", "Motion against frame index", "levels between frames"),
            ("speed", "Speed of the object against frame index", "pixels per frame"),
        )
    ]
    samples = tuple(
        Sample(
            prompt, f"as asked for in {100 * np.mean([s.identity for s in stream]):.0f} % of the windows", _wrong(stream), clip
        )
        for prompt, stream, clip in zip(prompts, streams, clips, strict=True)
    )
    return Section(
        "drift",
        "Drift",
        f"{settings.long_clips} streams of one object that keeps moving, {settings.long_frames} frames, read in windows of "
        f"{_WINDOW} frames. A stream keeps its identity if in nine of ten windows the object has the colour, shape and size "
        "of its prompt. Motion stands beside quality, since a frozen video does not drift.",
        figures,
        tuple(curves),
        worst(samples, 4),
    )


def _looks(study: Study) -> list[tuple[str, str]]:
    """Looks and motions of the streams."""
    world = study.world(9, study.combinations[0], seed=20, two_objects=0.0)
    motions = [motion for motion in (*LINEAR, BOUNCES) if motion in world.motions]
    items = [world.scene(index).objects[0] for index in range(study.settings.long_clips)]
    return [(f"a {item.size} {item.colour} {item.shape}", motions[index % len(motions)]) for index, item in enumerate(items)]


def stretches(reader: SceneReader, clip: Tensor, looks: str) -> list[Stretch]:
    """Reads a stream uint8 `[T, H, W, 3]` window by window; `looks` is "a large red circle"."""
    _, size, colour, *shape = looks.split()
    video = to_video(clip)[None]
    sharp, moved = sharpness_by_frame(video)[0], motion_by_frame(video)[0]
    found = []
    for start in range(0, len(clip) - _WINDOW + 1, _WINDOW):
        frames = slice(start, start + _WINDOW)
        reading = reader.read(clip[frames])
        item = reading.find(colour)
        there = item is not None and bool(item.visible.mean() > 0.8) and item.look == Look(" ".join(shape), size)
        identity = there and reading.count == 1
        dark = clip[frames].float().mean(dim=3).flatten(1).sort(dim=1).values
        found.append(
            Stretch(
                identity=identity,
                sharpness=float(sharp[frames].mean()),
                background=float(dark[:, : dark.shape[1] // 2].mean()),
                motion=float(moved[start : start + _WINDOW - 1].mean()),
                speed=_speed(item, reading),
            )
        )
    return found


def _speed(item: ReadObject | None, reading: Reading) -> float:
    if item is None:
        return float("nan")
    lengths = np.hypot(*Track.of(item.positions, reading.height, reading.width).steps.T)
    return float(np.median(lengths)) if len(lengths) else float("nan")


def _keeps(stream: Sequence[Stretch]) -> bool:
    """Whether the object is as asked for in nine of ten windows, and in one of the last two."""
    return _wrong(stream) <= 0.1 and any(s.identity for s in stream[-2:])


def _wrong(stream: Sequence[Stretch]) -> float:
    """Share of the windows in which the object is not as asked for."""
    return 1 - float(np.mean([stretch.identity for stretch in stream]))


def _changes(streams: Sequence[Sequence[Stretch]], name: str, target: str) -> list[Figure]:
    """By how much a measure changes in a stream, either way, and in all of them together, where they may cancel."""
    ends = np.maximum([_ends(stream, name) for stream in streams], 0.1)  # a black frame has neither
    changes = 100 * (ends[:, 1] / ends[:, 0] - 1)
    what, since = f"change of {name}", f"from frame {_EARLY} to the end"
    return [
        mean_of(f"{what} in a stream, either way, {since}", np.abs(changes).tolist(), unit="%", better="lower", target=target),
        mean_of(f"{what}, all streams together, {since}", changes.tolist(), unit="%", better=""),
    ]


def _ends(stream: Sequence[Stretch], name: str) -> tuple[float, float]:
    """The mean of a measure over the two windows from frame 32 on, and over the last two."""
    values = [float(getattr(stretch, name)) for stretch in stream]
    first = _EARLY // _WINDOW
    return float(np.mean(values[first : first + 2])), float(np.mean(values[-2:]))


def _targets(num_frames: int) -> tuple[str, str]:
    """What a stream has to reach: in identity, and in change or standstill. Q3 speaks of 512 and of 2,000 frames."""
    if num_frames < 513:
        return "", ""
    return (">= 95 (Q3)" if num_frames < 2001 else ">= 90 (Q3)"), "<= 5 (Q3)"


def _motion_kept(stream: Sequence[Stretch]) -> float:
    early, late = _ends(stream, "motion")
    return late / max(early, 0.1)


def _mean_by_window(streams: Sequence[Sequence[Stretch]], name: str) -> list[float]:
    values = np.array([[float(getattr(stretch, name)) for stretch in stream] for stream in streams])
    return [float(np.mean(c[~np.isnan(c)])) if (~np.isnan(c)).any() else float("nan") for c in values.T]
