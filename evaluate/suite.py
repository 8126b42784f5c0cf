"""The whole evaluation: all sections of all bundles, each kept as soon as it is there, and the report."""

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ..data import SpriteWorld
from ..data.files import replacing
from ..data.sprites import BOUNCES, FALLS, LINEAR, PASSES, caption_scene
from ..sample import Bundle, load_bundle
from .continuation import physics
from .control import condition_control, decoding_compared
from .distance import extractor, frechet
from .drift import drift
from .events import passes_once, persistence, steering
from .figures import Curve, Figure, Sample, Section
from .frechet import WINDOW
from .progress import AllLines, shown_progress
from .quality import quality
from .report import BundleResult, write_report
from .study import WORLDS, Progress, Settings, Study
from .tokens import prediction, tokenizer_on_sprites, tokenizer_on_videos

SECTIONS: dict[str, Callable[[Study, Progress], Section]] = {
    "tokenizer-sprites": tokenizer_on_sprites,
    "tokenizer-videos": tokenizer_on_videos,
    "prediction": prediction,
    "control": condition_control,
    "quality": quality,
    "persistence": persistence,
    "steering": steering,
    "physics": physics,
    "drift": drift,
    "decoding": decoding_compared,
    "distance": frechet,
}
"""All parts of the evaluation, in the order of the page."""
QUICK = Settings(clips=16, long_clips=8, long_frames=265)
"""A first look, in under three minutes on two cores."""

_ON_VIDEOS, _WITHOUT_LM = ("tokenizer-videos",), ("tokenizer-sprites", "tokenizer-videos")
_TRAINING_CAPTIONS = 4000
_ROOMS = ("data", "tokenizer", "model", "sample", "evaluate")
_NEEDED = {"cv2": "OpenCV", "matplotlib": "matplotlib"}


def evaluate_bundles(bundles: Sequence[str | None], out: Path, settings: Settings, only: Sequence[str] = ()) -> Path:
    """Evaluates bundles and writes `report.json` and `index.html`; goes on where an earlier call was stopped.

    Args:
        bundles: Their folders; None is the embedded default.
        out: Folder of the report; made where it is missing. Parts that are done are kept in its `parts`.
        settings: How much is measured, and how.
        only: Names of `SECTIONS` to measure; none means all that apply.

    Returns:
        The path of the page.

    Raises:
        ValueError: A section is unknown, none applies to a bundle, or a bundle was trained on the world it would be measured on.
    """
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise ValueError(f"the evaluation needs {' and '.join(missing)}; install them with `pip install '.[evaluate]'`")
    unknown = sorted(set(only) - set(SECTIONS))
    if unknown:
        raise ValueError(f"got the section {unknown[0]!r}; wanted some of {', '.join(SECTIONS)}")
    studies = [Study(load_bundle(folder), settings) for folder in bundles]
    for study in studies:
        _check_seed(study)
    plans = [[name for name in applicable(study) if not only or name in only] for study in studies]
    for study, plan in zip(studies, plans, strict=True):
        if not plan:
            raise ValueError(
                f"got nothing to measure of {study.bundle.path}: sprites need a bundle trained on SpriteWorld, videos need a "
                "folder (`--real`)"
            )
    (out / "parts").mkdir(parents=True, exist_ok=True)
    if any("distance" in plan for plan in plans):
        extractor(studies[0])  # a file of features that cannot be read is known before the long work starts
    names = _names([study.bundle for study in studies])
    results = []
    with shown_progress(AllLines) as begin:
        for study, plan, name in zip(studies, plans, names, strict=True):
            sections = [_section(study, part, out / "parts", begin(f"{name}: {part}")) for part in plan]
            results.append(BundleResult(name, describe(study.bundle), tuple(sections)))
    features = next((extractor(study).name for study, plan in zip(studies, plans, strict=True) if "distance" in plan), "none")
    return write_report(out, results, protocol(studies, settings, features))


def applicable(study: Study) -> list[str]:
    """The sections that can be measured of a bundle."""
    names = list(SECTIONS)
    if study.settings.real is None:
        names = [name for name in names if name not in _ON_VIDEOS]
    if not study.knows_sprites:
        names = [name for name in names if name in _ON_VIDEOS]
    else:
        names = [name for name in names if name not in _beyond(study)]
    if study.bundle.lm is None:
        names = [name for name in names if name in _WITHOUT_LM]
    return names


def _beyond(study: Study) -> set[str]:
    """Sections that ask for what the world of a bundle does not have."""
    world = study.world()
    motions = set(world.motions)
    beyond = set() if PASSES in motions and passes_once(world) else {"persistence"}
    beyond |= set() if len(motions & set(LINEAR)) > 1 else {"steering"}
    beyond |= set() if motions & {*LINEAR, BOUNCES} else {"drift"}
    beyond |= set() if motions & {*LINEAR, BOUNCES, FALLS} else {"physics"}
    return beyond | (set() if study.num_frames >= WINDOW and study.settings.clips > 1 else {"distance"})


def describe(bundle: Bundle) -> dict[str, object]:
    """What is worth knowing of a bundle."""
    networks = {"tokenizer": bundle.tokenizer, "lm": bundle.lm}
    return {
        "folder": bundle.path.name,
        "hashes": {name: digest[:12] for name, digest in bundle.hashes.items()},
        "parameters": {n: sum(p.numel() for p in net.parameters()) for n, net in networks.items() if net is not None},
        "training": bundle.training,
    }


def _check_seed(study: Study) -> None:
    """Clips of one seed are the same clips; a world to measure on must not be the one that was trained on."""
    seed, trained = study.settings.seed, study.trained_on.get("seed")
    if study.knows_sprites and trained is not None and seed <= trained < seed + WORLDS:
        raise ValueError(
            f"got --seed {seed}, whose worlds have the seeds {seed} to {seed + WORLDS - 1}, and a bundle trained on the world of "
            f"seed {trained}; wanted another one; pass such as --seed {trained + 1}"
        )


def sources() -> list[Path]:
    """The code that figures depend on."""
    state, *rooms = (Path(str(import_module(f"..{name}", __package__).__file__)) for name in ("state", *_ROOMS))
    return [state, *(path for room in rooms for path in sorted(room.parent.rglob("*.py")))]


@cache
def source_digest() -> str:
    """What is measured, and how: a hash over that code."""
    digest = hashlib.sha256(torch.__version__.encode())
    for path in sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def protocol(studies: Sequence[Study], settings: Settings, features: str) -> dict[str, object]:
    """What was measured on what, and how: the card that makes figures comparable."""
    return {
        "evaluation": source_digest(),
        "data": "SpriteWorld, rendered anew for this evaluation; real video from the folder in the settings, if one is there",
        "container": "none: raw frames, never through a video codec",
        "split": f"worlds of seeds {settings.seed} to {settings.seed + WORLDS - 1}; this project's recipes train on smaller ones",
        "bundles": dict(zip(_names([study.bundle for study in studies]), map(_of_bundle, studies), strict=True)),
        "settings": {**asdict(settings), "real": settings.real and Path(settings.real).name},
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


def overlap(study: Study) -> str:
    """How many captions of the evaluation occur in training, too: prompts are short, so some must, with other scenes."""
    trained = study.trained_on
    if not study.knows_sprites or not trained:
        return "not known: the bundle does not say what clips it was trained on"
    seed = int(trained["seed"])
    world = study.world(study.num_frames, trained["combinations"], seed - study.settings.seed)
    known = {_caption(world, index) for index in range(_TRAINING_CAPTIONS)}
    shares = []
    for combinations in study.combinations:
        world = study.world(study.num_frames, combinations)
        asked = [_caption(world, index) for index in range(study.settings.clips)]
        shares.append(f"{100 * sum(text in known for text in asked) / len(asked):.0f} % of the {combinations} prompts")
    where = f"the captions of {_TRAINING_CAPTIONS:,} training clips of seed {seed}"
    return f"{' and '.join(shares)} occur among {where}, those of its last training; no scene does, since the seeds differ"


def _caption(world: SpriteWorld, index: int) -> str:
    return caption_scene(replace(world.scene(index), timeline=False))[0].text


def _section(study: Study, name: str, folder: Path, progress: Progress) -> Section:
    """One section, measured or read from where an earlier call kept it."""
    facts = [source_digest(), name, study.bundle.hashes, asdict(study.settings), *_inputs(study, name)]
    key = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
    path = folder / f"{name}-{key}.safetensors"
    section = _read(path)
    if section is None:
        section = SECTIONS[name](study, progress)
        section = replace(section, name=name)
        _write(path, section)
    progress(1.0)
    return section


def _inputs(study: Study, name: str) -> list[object]:
    """What else a section depends on: files that may change while their names stay."""
    if name == "distance":
        return [extractor(study).name]
    if name == "tokenizer-videos" and study.settings.real is not None:
        files = sorted(path for path in Path(study.settings.real).resolve().rglob("*") if path.is_file())
        return [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    return []


def _write(path: Path, section: Section) -> None:
    """Keeps a section; its clips as tensors, all else as JSON in the header."""
    record = {
        "name": section.name,
        "title": section.title,
        "about": section.about,
        "figures": [asdict(figure) for figure in section.figures],
        "curves": [asdict(curve) for curve in section.curves],
        "samples": [{"label": s.label, "note": s.note, "badness": s.badness} for s in section.samples],
        "details": section.details,
    }
    frames = {f"sample{index}": sample.frames.contiguous() for index, sample in enumerate(section.samples)}
    with replacing(path) as temporary:
        temporary.write_bytes(save(frames or {"none": torch.zeros(1)}, metadata={"section": json.dumps(record)}))


def _read(path: Path) -> Section | None:
    """A section that was kept; None where there is none, or a damaged one."""
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads(file.metadata()["section"])
            frames = [file.get_tensor(f"sample{index}") for index in range(len(record["samples"]))]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    curves = [Curve(**{**curve, "x": tuple(curve["x"]), "y": tuple(curve["y"])}) for curve in record["curves"]]
    samples = [Sample(**sample, frames=clip) for sample, clip in zip(record["samples"], frames, strict=True)]
    figures = tuple(Figure(**figure) for figure in record["figures"])
    return Section(record["name"], record["title"], record["about"], figures, tuple(curves), tuple(samples), record["details"])


def _names(bundles: Sequence[Bundle]) -> list[str]:
    """A name for each bundle: its folder's, or that of the training that exported it; longer where those are alike."""
    paths = [bundle.path.resolve() for bundle in bundles]
    short = [path.parent.name if path.name == "bundle" else path.name for path in paths]
    return short if len(set(short)) == len(short) else ["/".join(path.parts[-3:]) for path in paths]
