"""Whether continuations look like true video, whatever they show."""

import torch
from torch import Tensor

from ...data import to_frames
from ..distance import extractor
from ..features import FeatureExtractor
from ..figures import Figure, Section, of_draws
from ..frechet import WINDOW
from ..mmd import PairedMMD
from ..study import Progress, Study, part_of
from .continuation import CONTINUED, RECONSTRUCTED, REPEATED, Continued, continued

_LEAST = 3
_KINDS = (CONTINUED, REPEATED, RECONSTRUCTED)


def video_distance(study: Study, progress: Progress) -> Section:
    """MMD of continued, repeated and reconstructed futures of held-out clips from the true ones."""
    items = continued(study, part_of(progress, 0, 2))
    features = extractor(study)
    frames = min(WINDOW, study.held_out.made)
    found = {name: _apart(features, items, name, frames) for name in _KINDS} if len(items) >= _LEAST else {}
    progress(1.0)
    return Section(
        "distance-videos",
        "Real video: distance",
        f"{study.held_out.about}\nHow far the first {frames} frames that follow are from true ones, by features of: "
        f"{features.name}. "
        "PSNR asks for the one future that came; this distance asks only for a likely one. It is the squared maximum mean "
        "discrepancy: 0 if both look alike in the mean, and a little below 0 by chance. A model that makes motion should be "
        "nearer to true video than the last frame repeated. No future is nearer than the reconstruction, since it has the same "
        "tokenizer. "
        + (
            ""
            if features.comparable
            else "The features were trained on sprites, so these numbers compare bundles of one page only. "
        )
        + ("" if found else f"There are {len(items)} clips, and it takes {_LEAST}."),
        tuple(_figures(found)),
        details={"features": features.name, "comparable": features.comparable},
    )


def _figures(found: dict[str, PairedMMD]) -> list[Figure]:
    if not found:
        return []
    better = {CONTINUED: "lower"}
    figures = [
        mmd.figure(f"MMD from true video: {name}", better=better.get(name, ""), headline=name != RECONSTRUCTED)
        for name, mmd in found.items()
    ]
    one, other = found[CONTINUED], found[REPEATED]
    name = "MMD from true video: last frame repeated less continued (above 0, the continuation is nearer)"
    return [*figures, of_draws(name, lambda draw: other(draw) - one(draw), one.num_pairs)]


def _apart(features: FeatureExtractor, items: list[Continued], name: str, frames: int) -> PairedMMD:
    made = torch.stack([_future(item, name, frames) for item in items])
    true = torch.stack([item.clip.frames[item.given : item.given + frames] for item in items])
    return PairedMMD(features(made), features(true))


def _future(item: Continued, name: str, frames: int) -> Tensor:
    """uint8 `[T, H, W, 3]`."""
    return to_frames(item.futures()[name][:, :, :frames])[0]
