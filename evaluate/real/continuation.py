"""What a generator makes of true beginnings, beside what costs nothing and beside what its tokens allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from einops import rearrange
from torch import Tensor

from ...data import CaptionedClip, to_video
from ..figures import Curve, Figure, Sample, Section, mean_of, ratio_of, share_of, worst_and_typical
from ..flow import LEAST_SIZE, flow_lengths
from ..metrics import frozen_share, psnr, ssim
from ..study import Progress, Study, part_of, reconstruct
from .panels import side_by_side
from .references import mean_colour, repeated

CONTINUED, REPEATED, RECONSTRUCTED, COLOUR = "continued", "last frame repeated", "reconstructed", "mean colour of each true frame"
_LEAST_FOR_SSIM = 11  # pixels


@dataclass(frozen=True)
class Continued:
    """A true clip, what was made of its beginning, and what that is compared with.

    Attributes:
        clip: The true one.
        frames: uint8 `[T, H, W, 3]`, the beginning and what was made of it.
        reconstruction: uint8 `[T, H, W, 3]`, the true clip through the tokenizer.
        given: How many frames were given.
    """

    clip: CaptionedClip
    frames: Tensor
    reconstruction: Tensor
    given: int

    def futures(self) -> dict[str, Tensor]:
        """What may stand for the frames that were not given, video `[1, 3, T, H, W]` each."""
        true, last = to_video(self.clip.frames)[None], self.given - 1
        count = true.shape[2] - self.given
        return {
            CONTINUED: to_video(self.frames[self.given :])[None],
            REPEATED: repeated(true, last, count),
            RECONSTRUCTED: to_video(self.reconstruction[self.given :])[None],
            COLOUR: mean_colour(true[:, :, self.given :]),
        }

    def true_future(self) -> Tensor:
        """Video `[1, 3, T, H, W]` of the frames that were not given."""
        return to_video(self.clip.frames[self.given :])[None]


def video_continuation(study: Study, progress: Progress) -> Section:
    """Held-out clips that go on from their first frames: PSNR, SSIM and motion by time."""
    held_out = study.held_out
    items = continued(study, part_of(progress, 0, 2))
    quality: dict[str, dict[str, list[np.ndarray]]] = {"PSNR": {}, "SSIM": {}}
    motion: dict[str, list[np.ndarray]] = {}
    for index, item in enumerate(items):
        true = item.true_future()
        for name, video in item.futures().items():
            for metric, values in by_frame(video, true).items():
                quality[metric].setdefault(name, []).append(values)
        for name, lengths in _motion(item).items():
            motion.setdefault(name, []).append(lengths)
        progress(0.5 + 0.5 * (index + 1) / len(items))
    seconds = (np.arange(held_out.made) + 1) / study.bundle.fps
    return Section(
        "continuation-videos",
        "Real video: continuation",
        f"{held_out.about}\n{_about(study)}",
        (*_quality_figures(quality, min(round(study.bundle.fps), held_out.made)), *_motion_figures(motion, items)),
        (*_quality_curves(quality, seconds), *_motion_curves(motion, seconds)),
        _samples(items, quality["PSNR"]),
    )


def continued(study: Study, progress: Progress) -> list[Continued]:
    """All held-out clips, gone on with from their beginnings."""
    clips, given = study.held_out.clips, study.held_out.given
    made = study.go_on(clips, [study.captions(clip) for clip in clips], progress)
    return [Continued(clip, frames, reconstruct(study, clip.frames), given) for clip, frames in zip(clips, made, strict=True)]


def by_frame(video: Tensor, true: Tensor) -> dict[str, np.ndarray]:
    """PSNR and SSIM of each frame of a video `[1, C, T, H, W]`; SSIM only if the frames are large enough."""
    single, targets = (rearrange(each, "1 c t h w -> t c 1 h w") for each in (video, true))
    found = {"PSNR": psnr(single, targets).numpy()}
    if min(video.shape[3:]) >= _LEAST_FOR_SSIM:
        found["SSIM"] = ssim(single, targets).numpy()
    return found


def _motion(item: Continued) -> dict[str, np.ndarray]:
    """Pixels that move from frame to frame, from the last given frame on."""
    if min(item.frames.shape[1:3]) < LEAST_SIZE:
        return {}
    start = item.given - 1
    clips = {"true": item.clip.frames, RECONSTRUCTED: item.reconstruction, CONTINUED: item.frames}
    return {name: flow_lengths(frames[start:]) for name, frames in clips.items()}


def _quality_figures(quality: dict[str, dict[str, list[np.ndarray]]], second: int) -> list[Figure]:
    figures = []
    for metric, found in quality.items():
        unit = "dB" if metric == "PSNR" else ""
        for span, end in (("over the first second", second), ("over all frames", None)):
            for name, rows in found.items():
                values = [float(row[:end].mean()) for row in rows]
                better, headline = "higher" if name == CONTINUED else "", metric == "PSNR" and name != COLOUR
                attributes: dict[str, Any] = {"unit": unit, "better": better, "headline": headline and end is not None}
                figures.append(mean_of(f"{metric} {span}: {name}", values, **attributes))
    gain = np.array([row[:second].mean() for row in quality["PSNR"][CONTINUED]])
    gain -= np.array([row[:second].mean() for row in quality["PSNR"][REPEATED]])
    name = "PSNR over the first second: continued above the last frame repeated, clip by clip"
    return [*figures, mean_of(name, gain.tolist(), unit="dB")]


def _motion_figures(motion: dict[str, list[np.ndarray]], items: Sequence[Continued]) -> list[Figure]:
    figures = []
    if motion:
        sums = {name: [float(row.mean()) for row in rows] for name, rows in motion.items()}
        figures = [
            ratio_of("motion: continued over true (1 is as much)", sums[CONTINUED], sums["true"], better="", headline=True),
            ratio_of("motion: reconstructed over true", sums[RECONSTRUCTED], sums["true"], better=""),
        ]
    still = [float(frozen_share(to_video(item.frames[item.given - 1 :])[None])) for item in items]
    true = [float(frozen_share(to_video(item.clip.frames[item.given - 1 :])[None])) for item in items]
    frozen = share_of("steps from frame to frame in which nothing moves", still, better="", reference=100 * float(np.mean(true)))
    return [*figures, frozen]


def _quality_curves(quality: dict[str, dict[str, list[np.ndarray]]], seconds: np.ndarray) -> list[Curve]:
    return [
        Curve(f"{metric} after the given frames", name, _row(seconds), _row(np.mean(rows, axis=0)), "seconds", label)
        for metric, label in (("PSNR", "dB"), ("SSIM", "SSIM"))
        for name, rows in quality[metric].items()
    ]


def _motion_curves(motion: dict[str, list[np.ndarray]], seconds: np.ndarray) -> list[Curve]:
    return [
        Curve("Motion after the given frames", name, _row(seconds), _row(np.mean(rows, axis=0)), "seconds", "pixels per frame")
        for name, rows in motion.items()
    ]


def _row(values: np.ndarray) -> tuple[float, ...]:
    return tuple(map(float, values))


def _samples(items: Sequence[Continued], found: dict[str, list[np.ndarray]]) -> tuple[Sample, ...]:
    samples = []
    for item, made, still in zip(items, found[CONTINUED], found[REPEATED], strict=True):
        clips = (item.clip.frames, item.reconstruction, item.frames)
        note = f"true | reconstructed | continued with {made.mean():.1f} dB; the last frame repeated has {still.mean():.1f} dB"
        label = item.clip.captions[0].text or item.clip.name
        shown = side_by_side(clips, item.given, (False, False, True))
        samples.append(Sample(label, note, float(still.mean() - made.mean()), shown))
    return worst_and_typical(samples, 4)


def _about(study: Study) -> str:
    held_out = study.held_out
    return (
        f"Each clip goes on for {held_out.made} frames from its first {held_out.given} true frames, under its caption if it has "
        "one. PSNR and SSIM say how near the continuation is to what truly came. There is more than one good future, so no "
        "generator stays near for long: read the first second, and read it beside two others. The last frame repeated "
        "costs nothing, and is hard to beat where little moves. The true clip through the tokenizer is the best that these "
        "tokens allow.\n"
        "Motion is the mean length of optical flow. Far below the true motion the continuation is frozen, far above it is wild. "
        "In the clips below, the line is grey as long as frames are given and orange from where they are made."
    )
