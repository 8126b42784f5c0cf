"""The protocol card: what was measured on what, and how, which makes figures comparable."""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import torch

from ..data import SpriteWorld
from ..data.sprites import caption_scene
from ..sample import Bundle
from .real.held_out import unseen_files
from .settings import Settings
from .study import WORLDS, Study
from .worlds.recording import unseen_recorded

_TRAINING_CAPTIONS = 4000
_OPEN = ("machine", "notices", "state", "stride")
_ROOMS = ("data", "tokenizer", "model", "sample", "evaluate")


def describe(bundle: Bundle) -> dict[str, object]:
    """What is worth knowing of a bundle."""
    networks = {"tokenizer": bundle.tokenizer, "lm": bundle.lm}
    return {
        "folder": bundle.path.name,
        "hashes": {name: digest[:12] for name, digest in bundle.hashes.items()},
        "parameters": {n: sum(p.numel() for p in net.parameters()) for n, net in networks.items() if net is not None},
        "training": bundle.training,
    }


def sources() -> list[Path]:
    """The code that figures depend on."""
    files = {name: Path(str(import_module(f"..{name}", __package__).__file__)) for name in (*_OPEN, *_ROOMS)}
    return [files[name] for name in _OPEN] + [path for room in _ROOMS for path in sorted(files[room].parent.rglob("*.py"))]


@cache
def source_digest() -> str:
    """What is measured, and how: a hash over that code."""
    digest = hashlib.sha256(torch.__version__.encode())
    for path in sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def protocol(studies: Mapping[str, Study], settings: Settings, features: str) -> dict[str, object]:
    """What was measured on what, and how: the card that makes figures comparable."""
    return {
        "evaluation": source_digest(),
        "data": "SpriteWorld, rendered anew for this evaluation; real video and the recording of a world from the folders in the "
        "settings, if they are there",
        "container": "none: raw frames, never through a video codec",
        "split": f"worlds of seeds {settings.seed} to {settings.seed + WORLDS - 1}; this project's recipes train on smaller ones",
        "bundles": {name: _of_bundle(study) for name, study in studies.items()},
        "settings": {
            **asdict(settings),
            **_names_of_paths(settings),
            "params": {name: asdict(study.params) for name, study in studies.items()},
        },
        "intervals": "95 %, percentile bootstrap over clips, 2,000 resamples; exact (Clopper-Pearson) for shares of 0 and 100 %",
        "features": features,
        "versions": {"framecast": version("framecast"), "torch": torch.__version__, "python": platform.python_version()},
        "machine": {"processor": platform.processor() or platform.machine(), "threads": torch.get_num_threads()},
    }


def _of_bundle(study: Study) -> dict[str, object]:
    """What the card says of one bundle."""
    bundle = study.bundle
    return {
        "size": f"{bundle.height}x{bundle.width} at {bundle.fps:g} frames/s",
        "trained on": study.trained_on or "the bundle does not say",
        "overlap": overlap(study),
    }


def _names_of_paths(settings: Settings) -> dict[str, str | None]:
    """The names of the folder and the file that were given: where they lie is nobody's business."""
    paths = {name: getattr(settings, name) for name in ("real", "captions", "world", "actions", "judge")}
    return {name: path if path is None else Path(path).resolve().name for name, path in paths.items()}


def overlap(study: Study) -> str:
    """How much of what is measured was trained on: prompts of sprites, and real videos as the sections say it."""
    said = (
        [_overlap_of_sprites(study)] if study.knows_sprites or (study.settings.real, study.settings.world) == (None, None) else []
    )
    said += [] if study.settings.real is None else [unseen_files(study.bundle, study.settings)[1]]
    said += [] if study.settings.world is None else [unseen_recorded(study.bundle, study.settings)[1]]
    return " ".join(said)


def _overlap_of_sprites(study: Study) -> str:
    """How many captions of the evaluation occur in training, too: prompts are short, so some must, with other scenes."""
    trained = study.trained_on
    if not study.knows_sprites or not trained:
        return "Not known: the bundle does not say what clips it was trained on."
    seed = int(trained["seed"])
    world = study.world(study.num_frames, trained["combinations"], seed - study.settings.seed)
    known = {_caption(world, index) for index in range(_TRAINING_CAPTIONS)}
    shares = []
    for combinations in study.combinations:
        world = study.world(study.num_frames, combinations)
        asked = [_caption(world, index) for index in range(study.settings.clips)]
        shares.append(f"{100 * sum(text in known for text in asked) / len(asked):.0f} % of the {combinations} prompts")
    where = f"the captions of {_TRAINING_CAPTIONS:,} training clips of seed {seed}"
    return f"{' and '.join(shares)} occur among {where}, those of its last training; no scene does, since the seeds differ."


def _caption(world: SpriteWorld, index: int) -> str:
    return caption_scene(replace(world.scene(index), timeline=False))[0].text
