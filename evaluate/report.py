"""The report of an evaluation: `report.json` for programs, `index.html` for people."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ..data.files import replacing
from .figures import Curve, Figure, Sample, Section
from .page import Html, document, element, joined, movie, plot, table
from .written import ABSENT, cell, meets, written_target, written_value

_MOST_SAMPLES = 12
_HOW_TO_READ = "Value, 95 % interval, and n, how many clips, objects, frames or tokens it is of."


@dataclass(frozen=True)
class BundleResult:
    """What was found about one bundle.

    Attributes:
        name: How the report calls it.
        info: What is worth knowing about it, such as its number of parameters; plain JSON values.
        sections: One for each part of the evaluation; those of several bundles belong together by their names.
        fps: Frames per second of its clips.
    """

    name: str
    info: dict[str, object]
    sections: tuple[Section, ...]
    fps: float = 12.0


def write_report(folder: Path, results: Sequence[BundleResult], protocol: dict[str, object]) -> Path:
    """Writes `report.json` (everything but pixels) and `index.html` (one page that needs no other file).

    Samples that name a file are written beside it as pictures.

    Args:
        folder: Where to; made if it is missing.
        results: One for each bundle; the page shows them side by side.
        protocol: What was measured on what and how: plain JSON values, dicts in dicts.

    Returns:
        The path of the page.

    Raises:
        ValueError: If there are no results, or matplotlib, which draws the plots, is not installed.
    """
    if not results:
        raise ValueError("got no results; a report wants at least one bundle; pass a list of `BundleResult`")
    folder.mkdir(parents=True, exist_ok=True)
    record = {"protocol": protocol, "bundles": [_bundle_record(result) for result in results]}
    # The numbers first: they took hours, and a page that fails must not lose them.
    _write(folder / "report.json", json.dumps(_plain(record), indent=1, allow_nan=False) + "\n")
    for sample, name in _pictures(results):
        with replacing(folder / name) as temporary:
            Image.fromarray(sample.frames[0].numpy()).save(temporary, "PNG")
    page = folder / "index.html"
    _write(page, document(f"Evaluation of {_names(results)}", _body(results, protocol)))
    return page


def _pictures(results: Sequence[BundleResult]) -> Iterator[tuple[Sample, str]]:
    """The samples that are kept as pictures, each with the name of its file; of several bundles the name says of which."""
    for index, result in enumerate(results, 1):
        for sample in (sample for section in result.sections for sample in section.samples if sample.file):
            yield sample, sample.file if len(results) == 1 else f"{index}-{sample.file}"


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="xmlcharrefreplace")  # a prompt may hold half a character


def _bundle_record(result: BundleResult) -> dict[str, object]:
    return {"name": result.name, "info": result.info, "sections": [_section_record(section) for section in result.sections]}


def _section_record(section: Section) -> dict[str, object]:
    return {
        "name": section.name,
        "title": section.title,
        "about": section.about,
        "figures": [{**asdict(figure), "met": meets(figure)} for figure in section.figures],
        "curves": [asdict(curve) for curve in section.curves],
        "samples": [_sample_record(sample) for sample in section.samples],
        "details": section.details,
    }


def _sample_record(sample: Sample) -> dict[str, object]:
    record: dict[str, object] = {"label": sample.label, "note": sample.note, "badness": sample.badness}
    return {**record, "file": sample.file} if sample.file else record


def _plain(value: object) -> object:
    """As strict JSON knows it: numbers that are not finite become null, and what it has no name for becomes text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _body(results: Sequence[BundleResult], protocol: dict[str, object]) -> Iterator[Html]:
    titles = _in_order((section for result in results for section in result.sections), lambda section: section.name)
    columns = {name: [_find(result.sections, name) for result in results] for name in titles}
    names = [result.name for result in results]
    anchors = {name: f"section-{index}" for index, name in enumerate(titles, 1)}

    links = [(f"#{anchors[name]}", section.title) for name, section in titles.items()]
    links += [("#bundles", "Bundles"), ("#protocol", "Protocol")]
    yield element("h1", f"Evaluation of {_names(results)}")
    yield element(
        "nav", element("ul", *(element("li", element("a", text, href=place)) for place, text in links)), aria_label="Parts"
    )
    yield from _heads(names, columns)
    for name, section in titles.items():
        yield element(
            "section",
            element("h2", section.title),
            *_abouts(names, columns[name]),
            *_findings(names, columns[name], [result.fps for result in results]),
            id=anchors[name],
        )
    yield _cards("Bundles", "bundles", names, [result.info for result in results])
    yield _cards("Protocol", "protocol", ["value"], [protocol])


def _abouts(names: Sequence[str], sections: Sequence[Section | None]) -> Iterator[Html]:
    """What was done, paragraph by paragraph; of each bundle if it differs."""
    said = {name: section.about.split("\n") for name, section in zip(names, sections, strict=True) if section}
    for place in range(max(map(len, said.values()))):
        lines = {name: paragraphs[place] for name, paragraphs in said.items() if place < len(paragraphs)}
        if len(set(lines.values())) == 1 and len(lines) == len(said):
            yield element("p", next(iter(lines.values())))
        else:
            for name, line in lines.items():
                yield element("p", element("strong", f"{name}: "), line)


def _heads(names: Sequence[str], columns: Mapping[str, Sequence[Section | None]]) -> Iterator[Html]:
    """What is read first: the figures that say most of any generator, and those that have a target."""
    rows = []
    for sections in columns.values():
        title = next(section.title for section in sections if section)
        for figure, found in _side_by_side(sections):
            if figure.headline:
                rows.append([joined([figure.name, element("small", title)]), *(cell(one, "") for one in found)])
    if rows:
        yield table(f"In short: the figures that say most. {_HOW_TO_READ}", ["Figure", *names], rows)
    if not rows or any(figure.target for sections in columns.values() for figure, _ in _side_by_side(sections)):
        yield _targets(names, columns)


def _targets(names: Sequence[str], columns: Mapping[str, Sequence[Section | None]]) -> Html:
    """The table of all figures that have a target."""
    rows = []
    for sections in columns.values():
        title = next(section.title for section in sections if section)
        for figure, found in _side_by_side(sections):
            if figure.target:
                head = joined([figure.name, element("small", title)])
                rows.append([head, written_target(figure), *(cell(one, figure.target) for one in found)])
    if not rows:
        return element("p", "No figure has a target.")
    return table(f"Figures that have a target. {_HOW_TO_READ}", ["Figure", "Target", *names], rows)


def _findings(names: Sequence[str], sections: Sequence[Section | None], rates: Sequence[float]) -> Iterator[Html]:
    """What a section shows of all bundles: its plots, its figures, its samples."""
    curves = [(curve, group) for group, section in enumerate(sections) if section for curve in section.curves]
    if curves:
        yield element("div", *_plots(names, curves), class_="plots")
    pairs = [pair for pair in _side_by_side(sections) if not pair[0].grid]
    if pairs:
        yield _figures_table(names, pairs)
    yield from _grids(names, sections)
    if any(section and section.samples for section in sections):
        yield element("h3", "Clips, the worst first")
        clips = [_clips(section.samples if section else (), fps) for section, fps in zip(sections, rates, strict=True)]
        if len(names) == 1:
            yield clips[0]
        else:
            bundles = [element("div", element("h4", name), shown) for name, shown in zip(names, clips, strict=True)]
            yield element("div", *bundles, class_="columns", role="region", aria_label="Clips of each bundle", tabindex=0)


def _grids(names: Sequence[str], sections: Sequence[Section | None]) -> Iterator[Html]:
    """The tables of two ways that some figures make, each for every bundle."""
    found = [[figure for figure in section.figures if figure.grid] if section else [] for section in sections]
    for title in dict.fromkeys(figure.grid[0] for figures in found for figure in figures):
        for name, figures in zip(names, found, strict=True):
            if own := [figure for figure in figures if figure.grid[0] == title]:
                yield _grid(title if len(names) == 1 else f"{title}: {name}", own)


def _grid(title: str, figures: Sequence[Figure]) -> Html:
    """Figures by their rows and columns."""
    columns = dict.fromkeys(figure.grid[2] for figure in figures)
    rows = []
    for row in dict.fromkeys(figure.grid[1] for figure in figures):
        own = {figure.grid[2]: figure for figure in figures if figure.grid[1] == row}
        targets = dict.fromkeys(f"target {written_target(figure)}" for figure in own.values() if figure.target)
        cells = [cell(own.get(column), own[column].target if column in own else "") for column in columns]
        rows.append([joined([row, *(element("small", target) for target in targets)]), *cells])
    return table(f"{title}. {_HOW_TO_READ}", ["", *columns], rows)


def _figures_table(names: Sequence[str], pairs: Sequence[tuple[Figure, list[Figure | None]]]) -> Html:
    has_reference = any(one and one.reference is not None for _, found in pairs for one in found)
    rows = []
    for figure, found in pairs:
        hints = [f"{figure.better} is better"] if figure.better else []
        hints += [f"target {written_target(figure)}"] if figure.target else []
        head = joined([figure.name, element("small", ", ".join(hints))]) if hints else figure.name
        references = [written_value(figure, one.reference) for one in found if one and one.reference is not None]
        reference = " / ".join(dict.fromkeys(references)) or ABSENT
        rows.append([head, *(cell(one, figure.target) for one in found), *([reference] if has_reference else [])])
    return table(_HOW_TO_READ, ["Figure", *names, *(["true clips"] if has_reference else [])], rows)


def _plots(names: Sequence[str], curves: Sequence[tuple[Curve, int]]) -> Iterator[Html]:
    for title in dict.fromkeys(curve.plot for curve, _ in curves):
        chosen = [(curve, group) for curve, group in curves if curve.plot == title]
        if len(names) > 1:
            chosen = [(replace(curve, name=f"{names[group]}: {curve.name}"), group) for curve, group in chosen]
        yield plot([curve for curve, _ in chosen], [group for _, group in chosen])


def _clips(samples: Sequence[Sample], fps: float) -> Html:
    if not samples:
        return element("p", "No clips.")
    worst_first = sorted(samples, key=lambda sample: (math.isnan(sample.badness), -sample.badness))
    return element("div", *(movie(sample, fps) for sample in worst_first[:_MOST_SAMPLES]), class_="clips")


def _cards(title: str, anchor: str, names: Sequence[str], cards: Sequence[Mapping[str, object]]) -> Html:
    """What is stated in nested dicts, side by side."""
    flat = [dict(_flattened(card)) for card in cards]
    keys = dict.fromkeys(key for card in flat for key in card)
    rows = [[key, *(card.get(key, ABSENT) for card in flat)] for key in keys]
    content = (
        table(f"{title}, as also kept in report.json.", ["Entry", *names], rows) if rows else element("p", "Nothing is stated.")
    )
    return element("section", element("h2", title), content, id=anchor)


def _flattened(card: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in card.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _as_text(value)


def _as_text(value: object) -> str:
    if isinstance(value, (list, tuple)) and value and not any(isinstance(item, (list, tuple, Mapping)) for item in value):
        return ", ".join(str(item) for item in value)
    return json.dumps(_plain(value)) if isinstance(value, (list, tuple, Mapping)) else str(value)


def _side_by_side(sections: Sequence[Section | None]) -> list[tuple[Figure, list[Figure | None]]]:
    """Each figure that any bundle has, as the first one states it, with those of all bundles."""
    figures = _in_order((figure for section in sections if section for figure in section.figures), lambda figure: figure.name)
    return [
        (figure, [_find(section.figures, name) if section else None for section in sections]) for name, figure in figures.items()
    ]


def _names(results: Sequence[BundleResult]) -> str:
    return " and ".join(result.name for result in results) if len(results) < 3 else f"{len(results)} bundles"


def _in_order(items: Iterable, key: Callable) -> dict:
    """The first of the items of each key, in order of appearance."""
    firsts: dict = {}
    for item in items:
        firsts.setdefault(key(item), item)
    return firsts


def _find(items: Sequence, name: str):
    """The item of that name, or None."""
    return next((item for item in items if item.name == name), None)
