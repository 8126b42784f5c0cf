"""Return: a way there and the way back. Is the place still the same?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...data import to_video
from ..figures import Curve, Figure, Sample, Section, mean_of
from ..metrics import psnr
from ..real.continuation import by_frame
from ..real.panels import side_by_side
from ..study import Progress, Study, part_of, reconstruct
from .recording import Recording, Start
from .trying import Key, Rows, opposites

SECONDS = (2.0, 5.0, 10.0)
_MOST_PAIRS = 2


@dataclass(frozen=True)
class _Trip:
    """There and back again.

    Attributes:
        seconds: How long it takes.
        pair: The key that leads there, and the one that leads back.
        start: Where it begins.
        made: uint8 `[T, H, W, 3]`, what was dreamt.
        true: uint8 `[T, H, W, 3]`, the true environment; None if there is none.
    """

    seconds: float
    pair: tuple[Key, Key]
    start: Start
    made: Tensor
    true: Tensor | None

    @property
    def before(self) -> Tensor:
        """The last given frame, `[1, H, W, 3]`."""
        return self.start.frames[-1:]


def world_return(study: Study, progress: Progress) -> Section:
    """There and back after some seconds, against the true environment."""
    recording = study.recording
    pairs = opposites(recording.space)[:_MOST_PAIRS]
    if not pairs:
        about = (
            "No two keys of this world undo each other, going by their names (such as left and right). So return is not measured."
        )
        return Section("return-world", "World: there and back", f"{recording.about}\n{about}", ())
    starts = recording.few(max(3, study.settings.clips // 16))
    trips = _trips(study, recording, pairs, starts, progress)
    return Section(
        "return-world",
        "World: there and back",
        f"{recording.about}\n{_about(study, pairs, recording)}",
        tuple(_figures(study, trips)),
        tuple(_curves(study, trips)),
        _samples(trips),
    )


def there_and_back(pair: tuple[Key, Key], nothing: Rows, frames: int) -> Rows:
    """The first key for half of the frames, then the second one, `[frames, A]`; of an odd number the last one is nothing."""
    row, half = nothing[None], frames // 2
    there, back = (key.press(np.repeat(row, half, axis=0)) for key in pair)
    return np.concatenate([there, back, row[: frames % 2]])


def _trips(
    study: Study, recording: Recording, pairs: Sequence[tuple[Key, Key]], starts: Sequence[Start], progress: Progress
) -> list[_Trip]:
    kinds = [(seconds, pair) for seconds in SECONDS for pair in pairs]
    trips = []
    for at, (seconds, pair) in enumerate(kinds):
        told = part_of(progress, at, len(kinds))
        rows = there_and_back(pair, recording.space.nothing, _length(study, seconds))
        made = study.dream(starts, [rows] * len(starts), part_of(told, 0, 2))
        for place, start in enumerate(starts):
            trips.append(_Trip(seconds, pair, start, made[place], recording.truly(start, rows)))
            part_of(told, 1, 2)((place + 1) / len(starts))
    return trips


def _length(study: Study, seconds: float) -> int:
    """Frames of a trip: an even number of latent frames, so that there and back take as long."""
    pair = 2 * study.bundle.tokenizer.temporal_stride
    return max(1, round(seconds * study.bundle.fps / pair)) * pair


def _figures(study: Study, trips: Sequence[_Trip]) -> list[Figure]:
    figures = []
    for seconds in SECONDS:
        own = [trip for trip in trips if trip.seconds == seconds]
        known = [(trip, trip.true) for trip in own if trip.true is not None]
        when, clips = f"PSNR of the place after {seconds:g} s there and back", _clips([trip for trip, _ in known])
        if known:
            kinds = {
                "dreamt": [trip.made for trip, _ in known],
                "reconstructed": [reconstruct(study, torch.cat([trip.before, true])) for trip, true in known],
                "the last given frame": [trip.before for trip, _ in known],
            }
            for name, ends in kinds.items():
                values = [_apart(end, true) for end, (_, true) in zip(ends, known, strict=True)]
                is_own = name == "dreamt"
                better = "higher" if is_own else ""
                name = f"{when}: {name}, against the truth"
                figures.append(mean_of(name, values, clips=clips, unit="dB", better=better, headline=is_own))
        values = [_apart(trip.made, trip.before) for trip in own]
        name = f"{when}: dreamt, against the last given frame"
        figures.append(mean_of(name, values, clips=_clips(own), unit="dB", better=""))
    return figures


def _apart(video: Tensor, true: Tensor) -> float:
    """PSNR of the last frame."""
    return float(psnr(to_video(video[-1:])[None], to_video(true[-1:])[None])[0])


def _curves(study: Study, trips: Sequence[_Trip]) -> list[Curve]:
    """PSNR against the truth on the longest way; without a truth, how far from the start."""
    own = [trip for trip in trips if trip.seconds == SECONDS[-1]]
    title = f"PSNR on the way, {SECONDS[-1]:g} s there and back"
    seconds = tuple(((np.arange(len(own[0].made)) + 1) / study.bundle.fps).tolist())
    lines: dict[str, list[np.ndarray]] = {}
    for trip in own:
        made, before = to_video(trip.made)[None], to_video(trip.before)[None]
        still = before.expand_as(made)
        lines.setdefault("dreamt, against the last given frame", []).append(by_frame(made, still)["PSNR"])
        if trip.true is not None:
            true = to_video(trip.true)[None]
            lines.setdefault("dreamt, against the truth", []).append(by_frame(made, true)["PSNR"])
            lines.setdefault("the last given frame, against the truth", []).append(by_frame(still, true)["PSNR"])
    return [Curve(title, name, seconds, tuple(np.mean(rows, axis=0).tolist()), "seconds", "dB") for name, rows in lines.items()]


def _samples(trips: Sequence[_Trip]) -> tuple[Sample, ...]:
    samples = []
    for trip in [trip for trip in trips if trip.seconds == SECONDS[-1]]:
        clips = [trip.made] if trip.true is None else [trip.true, trip.made]
        shown = side_by_side(
            [torch.cat([trip.start.frames, clip]) for clip in clips], trip.start.given, [False, True][-len(clips) :]
        )
        there, back = trip.pair
        value = _apart(trip.made, trip.before if trip.true is None else trip.true)
        note = f"{'true | dreamt' if len(clips) > 1 else 'dreamt'}, {value:.1f} dB at the end"
        samples.append(Sample(f"{there.name}, then {back.name}", note, -value, shown))
    return tuple(samples[:6])


def _clips(trips: Sequence[_Trip]) -> list[int]:
    names = list(dict.fromkeys(trip.start.clip.name for trip in trips))
    return [names.index(trip.start.clip.name) for trip in trips]


def _about(study: Study, pairs: Sequence[tuple[Key, Key]], recording: Recording) -> str:
    lm = study.bundle.lm
    assert lm is not None
    window = lm.config.context_frames * study.bundle.tokenizer.temporal_stride / study.bundle.fps
    truth = (
        "The true environment does the same. The last given frame beside the truth says how well the world itself returns: "
        "where keys do not undo each other, it is low, and only the truth counts."
        if recording.truth
        else "Without the true environment it is not known where the world would be, so the way back is stated against the start."
    )
    tried = ", ".join(f"{there.name} and {back.name}" for there, back in pairs)
    return (
        f"One key is held for half of the time and its opposite for the other half: {tried}. "
        f"The last frames are compared. The video LM sees its first latent frames and the last {window:.1f} s; what is out of "
        f"view for longer it can only know from what it remembers there. {truth}"
    )
