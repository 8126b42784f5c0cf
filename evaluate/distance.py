"""Frechet video distance of generated clips, and of reconstructions, which is the tokenizer's share of it."""

import torch
from torch import Tensor

from ..sample import load_bundle
from .features import FeatureExtractor, I3DFeatures, TokenizerFeatures
from .figures import Section, without_interval
from .frechet import FeatureStatistics, frechet_distance, windows
from .study import Progress, Study, reconstruct

_BATCH = 16


def extractor(study: Study) -> FeatureExtractor:
    """What features are taken: those of the I3D file that is given, or those of the shipped model's encoder."""
    if study.settings.features is not None:
        return I3DFeatures(study.settings.features)
    default = load_bundle(None)
    digest = default.hashes["tokenizer.safetensors"][:12]
    return TokenizerFeatures(default.tokenizer, f"encoder of Framecast's shipped model, sha256 {digest}")


def frechet(study: Study, progress: Progress) -> Section:
    """Distances between true, reconstructed and generated clips."""
    features, count = extractor(study), study.settings.clips
    cases = study.cases(study.world(study.num_frames, seed=6), count)
    others = study.cases(study.world(study.num_frames, seed=7), count)
    made = study.generate([case.prompt for case in cases], study.num_frames, lambda x: progress(0.8 * x))
    true = statistics(features, [case.frames for case in cases])
    kinds = {
        "generated against true": made,
        "reconstructed against true: the tokenizer's share": [reconstruct(study, case.frames) for case in cases],
        "other true clips against true: what the number of clips costs": [case.frames for case in others],
    }
    label = "FVD" if features.comparable else "Frechet distance (not comparable to published FVD)"
    figures, found = [], {}
    for at, (name, clips) in enumerate(kinds.items()):
        found[name] = statistics(features, clips)
        value = frechet_distance(found[name], true)
        figures.append(without_interval(f"{label}, {name}", value, true.count, better="lower"))
        progress(0.8 + 0.2 * (at + 1) / len(kinds))
    generated, reconstructed, _ = found.values()
    value = frechet_distance(generated, reconstructed)
    figures.append(without_interval(f"{label}, generated against reconstructed", value, generated.count, better="lower"))
    return Section(
        "distance",
        "Distance between distributions",
        f"Windows of 16 frames of {count} clips each, features of: {features.name}. "
        + ("" if features.comparable else "These features were trained here, so the numbers compare runs of this page only. ")
        + ("The usual count is 2,048 clips; fewer give larger distances." if count < 2048 else ""),
        tuple(figures),
        details={"features": features.name, "comparable": features.comparable},
    )


def statistics(features: FeatureExtractor, clips: list[Tensor]) -> FeatureStatistics:
    """Mean and covariance of the features of all whole windows of some clips."""
    pieces = torch.cat([windows(clip) for clip in clips])
    with torch.inference_mode():
        return FeatureStatistics.of(torch.cat([features(batch) for batch in pieces.split(_BATCH)]))
