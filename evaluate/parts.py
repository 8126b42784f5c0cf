"""The parts of an evaluation that are kept: a section is measured once, as long as nothing that it depends on has changed."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ..data.files import replacing
from .card import source_digest
from .distance import extractor
from .figures import Curve, Figure, Sample, Section
from .study import Progress, Study

Measure = Callable[[Study, Progress], Section]
"""Measures one section of a study, and says how far it is."""


def kept_section(study: Study, name: str, measure: Measure, folder: Path, progress: Progress) -> Section:
    """One section, measured or read from where an earlier call kept it."""
    facts = [source_digest(), name, study.bundle.hashes, asdict(study.settings), *_inputs(study, name)]
    key = sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
    path = folder / f"{name}-{key}.safetensors"
    section = _read(path)
    if section is None:
        section = measure(study, progress)
        section = replace(section, name=name)
        _write(path, section)
    progress(1.0)
    return section


def _inputs(study: Study, name: str) -> list[object]:
    """What else a section depends on: files that may change while their names stay."""
    settings = study.settings
    features: list[object] = [extractor(study).name] if name.startswith("distance") else []
    if name.endswith("-videos") and settings.real is not None:
        captions = [] if settings.captions is None else [sha256(Path(settings.captions).read_bytes()).hexdigest()]
        return [*features, *_state_of(settings.real), *captions]
    folders = [settings.world] if name.endswith("-world") else []
    folders += [settings.judge] if name == "keys-world" else []
    return [*features, *(fact for folder in folders if folder is not None for fact in _state_of(folder))]


def _state_of(folder: str) -> list[object]:
    """Which files are in a folder, as far as their sizes and times tell."""
    found = Path(folder).resolve().rglob("[!.]*")  # the index of the folder, which this makes, is hidden
    files = sorted(path for path in found if path.is_file())
    return [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]


def _write(path: Path, section: Section) -> None:
    """Keeps a section; its clips as tensors, all else as JSON in the header."""
    record = {
        "name": section.name,
        "title": section.title,
        "about": section.about,
        "figures": [asdict(figure) for figure in section.figures],
        "curves": [asdict(curve) for curve in section.curves],
        "samples": [{"label": s.label, "note": s.note, "badness": s.badness, "file": s.file} for s in section.samples],
        "details": section.details,
    }
    frames = {f"sample{index}": sample.frames.contiguous() for index, sample in enumerate(section.samples)}
    with replacing(path) as temporary:
        temporary.write_bytes(save(frames or {"none": torch.zeros(1)}, metadata={"section": json.dumps(record)}))


def _read(path: Path) -> Section | None:
    """A section that was kept; None if there is none, or a damaged one."""
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads(file.metadata()["section"])
            frames = [file.get_tensor(f"sample{index}") for index in range(len(record["samples"]))]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    curves = [Curve(**{**curve, "x": tuple(curve["x"]), "y": tuple(curve["y"])}) for curve in record["curves"]]
    samples = [Sample(**sample, frames=clip) for sample, clip in zip(record["samples"], frames, strict=True)]
    figures = tuple(Figure(**{**figure, "grid": tuple(figure["grid"])}) for figure in record["figures"])
    return Section(record["name"], record["title"], record["about"], figures, tuple(curves), tuple(samples), record["details"])
