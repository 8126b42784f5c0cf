"""Whether a prompt does anything: one beginning and one seed under two prompts, beside one prompt under two seeds."""

import numpy as np
import torch
from torch import Tensor

from ...data import to_video
from ..figures import Curve, Figure, Sample, Section, mean_of, ratio_of, worst_and_typical
from ..study import Progress, Study, part_of
from .continuation import by_frame
from .panels import side_by_side
from .prediction import NO_TWO_CAPTIONS, another

_OTHER_SEED = 10_000  # added to the seeds


def video_prompts(study: Study, progress: Progress) -> Section:
    """Held-out clips that go on under their own caption, under another one, and with another seed."""
    held_out = study.held_out
    own = [study.captions(clip) for clip in held_out.clips]
    rows = [index for index, prompt in enumerate(own) if prompt and any(other and other != prompt for other in own)]
    if not rows:
        return Section("prompts-videos", "Real video: prompts", f"{held_out.about}\n{NO_TWO_CAPTIONS}", ())
    clips = [held_out.clips[row] for row in rows]
    prompts, others = [own[row] for row in rows], [another(own, row) for row in rows]
    first = study.go_on(clips, prompts, part_of(progress, 0, 3))
    told = study.go_on(clips, others, part_of(progress, 1, 3))
    again = study.go_on(clips, prompts, part_of(progress, 2, 3), seed=_OTHER_SEED)
    apart = {
        "two prompts, one seed": [_apart(*pair) for pair in _made(held_out.given, first, told)],
        "two seeds, one prompt": [_apart(*pair) for pair in _made(held_out.given, first, again)],
    }
    samples = []
    for index, clip in enumerate(clips):
        by_prompt, by_seed = (float(values[index].mean()) for values in apart.values())
        shown = side_by_side((clip.frames, first[index], told[index], again[index]), held_out.given, (False, True, True, True))
        note = (
            f'true | its own caption | "{others[index][0][1]}" | its own caption, another seed; prompts {by_prompt:.1f} levels '
            f"apart, seeds {by_seed:.1f}"
        )
        samples.append(Sample(prompts[index][0][1], note, -by_prompt, shown))
    seconds = tuple((index + 1) / study.bundle.fps for index in range(held_out.made))
    return Section(
        "prompts-videos",
        "Real video: prompts",
        f"{len(clips)} beginnings go on under their own caption, under the caption of another clip with the same seed, and under "
        "their own caption with another seed. The random numbers of a stream depend on its seed alone. So two prompts make "
        "the same clip if they do nothing, and their distance is the effect of the prompt. The distance between two seeds is "
        "what chance alone does. This says that a prompt has an effect, and not that the effect is the one meant: for that, see "
        "what captions are worth in the section on prediction, and look at the clips.",
        tuple(_figures(apart, study, first, told, clips)),
        tuple(
            Curve("Distance between continuations", name, seconds, tuple(map(float, np.mean(rows, axis=0))), "seconds", "levels")
            for name, rows in apart.items()
        ),
        worst_and_typical(samples, 3),
    )


def _figures(apart: dict[str, list[np.ndarray]], study: Study, first: list[Tensor], told: list[Tensor], clips) -> list[Figure]:
    means = {name: [float(row.mean()) for row in rows] for name, rows in apart.items()}
    prompts, seeds = means.values()
    given = study.held_out.given
    nearer = []
    for mine, other, clip in zip(first, told, clips, strict=True):
        true = to_video(clip.frames[given:])[None]
        own, strange = (float(by_frame(to_video(each[given:])[None], true)["PSNR"].mean()) for each in (mine, other))
        nearer.append(own - strange)
    return [
        *(mean_of(f"distance: {name}", values, unit="levels", better="") for name, values in means.items()),
        ratio_of("effect of the prompt over that of the seed (0 is none)", prompts, seeds, better="", headline=True),
        mean_of("PSNR: under its own caption above another caption, clip by clip", nearer, unit="dB"),
    ]


def _made(given: int, some: list[Tensor], others: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """The frames that were made, pair by pair."""
    return [(mine[given:], other[given:]) for mine, other in zip(some, others, strict=True)]


def _apart(one: Tensor, other: Tensor) -> np.ndarray:
    """Root mean square difference of each frame, in levels."""
    difference: np.ndarray = torch.sub(one.float(), other.float()).square().mean(dim=(1, 2, 3)).sqrt().numpy()
    return difference
