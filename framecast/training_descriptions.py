"""How a bundle was trained, in rows for a person: from the plain values that the training wrote, whatever they are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .data.counted import counted

Rows = list[tuple[str, str]]
_SHOWN = 8
_TOLD = ("captions",)
"""What has a row elsewhere."""


def describe_training(training: Mapping[str, Any]) -> Rows:
    """Plain values a row each; a source of clips, and what it held, each in words in one row."""
    rows: Rows = []
    for name, value in training.items():
        if name == "settings" and isinstance(value, Mapping) and "class" in value:
            rows += [("training clips", text) for text in _of_source(value, {})]
        elif name == "data" and isinstance(value, Mapping):
            rows += _of_data(value)
        elif isinstance(value, Mapping):
            rows += _of_group(value)
        elif name not in _TOLD:
            rows.append((f"training {_words(name)}", shown(value)))
    return rows


def shown(value: object) -> str:
    """A plain value; of a long list its first, and of a group the values with their names."""
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(name)} {shown(each)}" for name, each in value.items()) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        more = f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else ""
        return ", ".join(map(shown, value[:_SHOWN])) + more if value else "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _of_source(values: Mapping[str, Any], outer: Mapping[str, Any]) -> Iterator[str]:
    """A line for a source, and one for each source within it, which leaves out what is the same."""
    own = {name: value for name, value in values.items() if name not in outer or outer[name] != value}
    within = {name: value for name, value in own.items() if _is_source(value)}
    rest = {name: value for name, value in own.items() if name not in within and name != "class"}
    yield ", ".join([str(values.get("class", "clips")), *_sizes(rest), *(f"{_words(n)} {shown(v)}" for n, v in rest.items())])
    for value in within.values():
        for each in value if isinstance(value, list) else [value]:
            for line in _of_source(each, {**outer, **values}):
                yield f"of {line}"


def _is_source(value: object) -> bool:
    several = value if isinstance(value, list) else [value]
    return bool(several) and all(isinstance(each, Mapping) and "class" in each for each in several)


def _sizes(values: dict[str, Any]) -> Iterator[str]:
    """How much and how large, in words; takes these values out of the rest."""
    if isinstance(values.get("num_clips"), int):
        yield counted(values.pop("num_clips"), "clip")
    if isinstance(values.get("num_frames"), int):
        yield f"{counted(values.pop('num_frames'), 'frame')} each"
    if "height" in values and "width" in values:
        yield f"{values.pop('height')}x{values.pop('width')} pixels"
    if "fps" in values:
        yield f"{shown(values.pop('fps'))} frames/s"


def _of_data(values: Mapping[str, Any]) -> Rows:
    """How much was trained on, in one row, and a row for each thing else."""
    rest = dict(values)
    told = [counted(rest.pop("clips"), "clip")] if isinstance(rest.get("clips"), int) else []
    told += [f"{shown(rest.pop('seconds'))} s of video"] if "seconds" in rest else []
    told += [f"{rest.pop('captioned') or 'none'} with a caption"] if "captioned" in rest else []
    told += [counted(rest.pop("words"), "different word")] if isinstance(rest.get("words"), int) else []
    return [*([("training data", ", ".join(told))] if told else []), *_of_group(rest)]


def _of_group(values: Mapping[str, Any]) -> Rows:
    """A row for each value, those of a group within a group too."""
    rows: Rows = []
    for name, value in values.items():
        rows += _of_group(value) if isinstance(value, Mapping) else [(name, shown(value))]
    return rows


def _words(name: object) -> str:
    return str(name).replace("_", " ")
