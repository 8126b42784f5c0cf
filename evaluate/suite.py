"""The whole evaluation: all sections of all bundles, each kept as soon as it is there, and the report."""

from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from ..data.sprites import BOUNCES, FALLS, LINEAR, PASSES
from ..progress import Task
from ..sample import Bundle, load_bundle
from .card import describe, protocol
from .continuation import physics
from .control import condition_control
from .decodings import decoding_compared
from .distance import extractor, frechet
from .drift import drift
from .frechet import WINDOW
from .parts import Measure, kept_section
from .persistence import passes_once, persistence
from .prediction import prediction
from .quality import quality
from .real.continuation import video_continuation
from .real.decodings import video_decodings
from .real.distance import video_distance
from .real.drift import video_drift
from .real.held_out import video_root
from .real.prediction import video_prediction
from .real.prompts import video_prompts
from .real.rates import video_rates
from .reconstruction import tokenizer_on_sprites, tokenizer_on_videos
from .report import BundleResult, write_report
from .settings import Settings
from .steering import steering
from .study import WORLDS, Study
from .worlds.drift import world_drift
from .worlds.horizons import world_horizon
from .worlds.keys import world_keys
from .worlds.prediction import world_prediction
from .worlds.recording import judge_root, world_root
from .worlds.returns import world_return

SECTIONS: dict[str, Measure] = {
    "tokenizer-sprites": tokenizer_on_sprites,
    "tokenizer-videos": tokenizer_on_videos,
    "rate-videos": video_rates,
    "prediction": prediction,
    "control": condition_control,
    "quality": quality,
    "persistence": persistence,
    "steering": steering,
    "physics": physics,
    "drift": drift,
    "decoding": decoding_compared,
    "distance": frechet,
    "prediction-videos": video_prediction,
    "continuation-videos": video_continuation,
    "distance-videos": video_distance,
    "drift-videos": video_drift,
    "decoding-videos": video_decodings,
    "prompts-videos": video_prompts,
    "horizon-world": world_horizon,
    "keys-world": world_keys,
    "return-world": world_return,
    "prediction-world": world_prediction,
    "drift-world": world_drift,
}
"""All parts of the evaluation, in the order of the page."""
QUICK = Settings(clips=16, long_clips=8, long_frames=265, play_frames=512)
"""A first look: sprites take under three minutes on two cores, and real video about five more."""

_ON_VIDEOS = tuple(name for name in SECTIONS if name.endswith("-videos"))
_IN_WORLDS = tuple(name for name in SECTIONS if name.endswith("-world"))
_WITHOUT_LM = ("tokenizer-sprites", "tokenizer-videos", "rate-videos")
_NEEDED = {"cv2": "OpenCV", "matplotlib": "matplotlib"}


def evaluate_bundles(
    bundles: str | Path | Sequence[str | Path | None], out: str | Path, settings: Settings | None = None, only: Sequence[str] = ()
) -> Path:
    """Evaluates bundles and writes `report.json` and `index.html`; goes on where an earlier call was stopped.

    Args:
        bundles: Their folders, or one folder; None in a list is the shipped model.
        out: Folder of the report; made if it is missing. Parts that are done are kept in its `parts`.
        settings: How much is measured, and how; `QUICK` is a first look.
        only: Names of `SECTIONS` to measure; none means all that apply.

    Returns:
        The path of the page.

    Raises:
        ValueError: A section is unknown, none applies to a bundle, or a bundle was trained on the world it would be measured on.
    """
    bundles, out = [bundles] if isinstance(bundles, (str, Path)) else bundles, Path(out)
    settings = settings or Settings()
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise ValueError(f"the evaluation needs {' and '.join(missing)}; install them with `pip install '.[evaluate]'`")
    unknown = sorted(set(only) - set(SECTIONS))
    if unknown:
        raise ValueError(f"got the section {unknown[0]!r}; wanted some of {', '.join(SECTIONS)}")
    if settings.real is not None:
        video_root(settings)
    studies = [Study(load_bundle(folder), settings) for folder in bundles]
    if settings.world is not None:
        world_root(settings)
    if settings.judge is not None:
        judge_root(settings)
    for study in studies:
        _check_seed(study)
        _check_world(study)
    plans = [[name for name in applicable(study) if not only or name in only] for study in studies]
    for study, plan in zip(studies, plans, strict=True):
        if not plan:
            raise ValueError(_nothing_to_measure(study, only))
    (out / "parts").mkdir(parents=True, exist_ok=True)
    if any(map(_has_distance, plans)):
        extractor(studies[0])  # a file of features that cannot be read is known before the long work starts
    names = _names([study.bundle for study in studies])
    results = []
    with Task("evaluating", sum(map(len, plans)), "sections") as whole:
        for study, plan, name in zip(studies, plans, names, strict=True):
            sections = []
            with closing(study):  # whatever ends this, the true environment of a world ends, too
                for part in plan:
                    with Task(f"{name}: {part}", 1.0) as task:
                        sections.append(kept_section(study, part, SECTIONS[part], out / "parts", task.reach))
                    whole.advance()
            results.append(BundleResult(name, describe(study.bundle), tuple(sections), study.bundle.fps))
    features = next((extractor(study).name for study, plan in zip(studies, plans, strict=True) if _has_distance(plan)), "none")
    return write_report(out, results, protocol(dict(zip(names, studies, strict=True)), settings, features))


def _has_distance(plan: Sequence[str]) -> bool:
    return any(name.startswith("distance") for name in plan)


def applicable(study: Study) -> list[str]:
    """The sections that can be measured of a bundle."""
    names = list(SECTIONS)
    if study.settings.real is None:
        names = [name for name in names if name not in _ON_VIDEOS]
    if study.settings.world is None:
        names = [name for name in names if name not in _IN_WORLDS]
    if not study.knows_sprites:
        names = [name for name in names if name in (*_ON_VIDEOS, *_IN_WORLDS)]
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


def _nothing_to_measure(study: Study, only: Sequence[str]) -> str:
    """Why no section applies to a bundle, and what to type."""
    path, possible = study.bundle.path, applicable(study)
    if possible:
        return f"got {' and '.join(only)}, which cannot be measured of {path}; wanted some of {', '.join(possible)}"
    return (
        f"got nothing to measure {path} on: it was not trained on the sprite world; wanted a folder of videos that it was not "
        f"trained on; type `framecast evaluate {path} --real FOLDER`"
        + (", or `--world RECORDING` for a recording with actions" if study.bundle.action_space is not None else "")
    )


def _check_world(study: Study) -> None:
    """A world is played by its keys, so the bundle must know some."""
    if study.settings.world is not None and (study.bundle.lm is None or study.bundle.action_space is None):
        raise ValueError(
            f"got --world {study.settings.world}, and {study.bundle.path} knows no actions; wanted a bundle that was trained on "
            "a recording with actions; leave --world out to measure this one"
        )


def _check_seed(study: Study) -> None:
    """Clips of one seed are the same clips; a world to measure on must not be the one that was trained on."""
    seed, trained = study.settings.seed, study.trained_on.get("seed")
    if study.knows_sprites and trained is not None and seed <= trained < seed + WORLDS:
        raise ValueError(
            f"got --seed {seed}, whose worlds have the seeds {seed} to {seed + WORLDS - 1}, and a bundle trained on the world of "
            f"seed {trained}; wanted another one; pass such as --seed {trained + 1}"
        )


def _names(bundles: Sequence[Bundle]) -> list[str]:
    """A name for each bundle: its title, or its folder's name, or that of its training; longer if two are alike."""
    paths = [bundle.path.resolve() for bundle in bundles]
    folders = [path.parent.name if path.name == "bundle" else path.name for path in paths]
    short = [str(bundle.training.get("title") or folder) for bundle, folder in zip(bundles, folders, strict=True)]
    return short if len(set(short)) == len(short) else ["/".join(path.parts[-3:]) for path in paths]
