"""A checkpoint in parts: a folder in which each process keeps the rows that it holds, and one file has all else.

The folder has `values_N.ckpt`, what all processes have alike, with marks where a tensor is split. `part_N_R_of_W.ckpt` has the
rows of process R of W, in the order of the marks. `manifest.json` names the number N, the processes W, and the size and the hash
of each file. A new checkpoint has new files, and holds from the moment at which the manifest is replaced. All files are read by
the one reader of checkpoints, so none can run code.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from ...data.files import replacing
from ...data.reading import parse_json, read_regular
from ..checkpoint_reader import read_checkpoint
from ..entries import entry_of, read_entry, sync_folder
from .tensors import local, rows_of

_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 2**24
_SPLIT = "framecast.split"
_MOST_PROCESSES = 2**16

Wrap = Callable[[Tensor, tuple[int, ...]], Tensor]
"""The rows of one process and the whole shape -> what stands for the tensor."""


@dataclass(frozen=True)
class Manifest:
    """Which files a checkpoint in parts has.

    Attributes:
        number: Tells a checkpoint from those before it in the same folder.
        processes: How many kept a part.
        entries: Size and hash of each file, by its name.
        precision: That of the training.
    """

    number: int
    processes: int
    entries: Mapping[str, Mapping[str, Any]]
    precision: str | None

    @property
    def values_file(self) -> str:
        """What all processes have alike."""
        return f"values_{self.number}.ckpt"

    def part_file(self, rank: int) -> str:
        """The rows of a process."""
        return f"part_{self.number}_{rank}_of_{self.processes}.ckpt"

    @property
    def files(self) -> list[str]:
        """All that it has."""
        return [self.values_file, *(self.part_file(rank) for rank in range(self.processes))]

    def write(self, folder: Path) -> None:
        """From here on the folder holds this checkpoint; the files of earlier ones are removed."""
        content = {"format": 1, **vars(self)}
        with replacing(folder / _MANIFEST) as temporary:
            temporary.write_text(json.dumps(content, indent=1))
        sync_folder(folder)
        for old in {*folder.glob("values_*.ckpt"), *folder.glob("part_*.ckpt")} - {folder / name for name in self.files}:
            old.unlink()


def is_in_parts(path: Path) -> bool:
    """Whether a finished checkpoint in parts lies there."""
    return (path / _MANIFEST).is_file()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a checkpoint in parts.

    Raises:
        ValueError: There is none, or it is damaged.
    """
    path = folder / _MANIFEST
    if not path.is_file():
        raise ValueError(
            f"checkpoint {folder} has no {_MANIFEST}: it is none, or was never finished; take another checkpoint, or start anew "
            "without `--ckpt_path`"
        )
    try:
        said = parse_json(read_regular(path, _LARGEST_MANIFEST))
        number, processes = int(said["number"]), int(said["processes"])
        if number < 0 or not 1 <= processes <= _MOST_PROCESSES:
            raise ValueError(f"number {number} of {processes} processes")
        entries = {name: read_entry(said["entries"][name]) for name in Manifest(number, processes, {}, None).files}
        precision = said.get("precision")
        return Manifest(number, processes, entries, precision if isinstance(precision, str) else None)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"manifest {path} is damaged ({error}); take another checkpoint") from error


def write_part(folder: Path, checkpoint: Mapping[str, Any], number: int, rank: int, world: int) -> dict[str, dict[str, Any]]:
    """Writes the files of one process, and says what they are, by name."""
    rows: list[Tensor] = []
    values = _take_apart(dict(checkpoint), rows)
    manifest = Manifest(number, world, {}, None)
    contents: dict[str, Any] = {manifest.part_file(rank): {"rows": rows}}
    if rank == 0:
        contents[manifest.values_file] = {"values": values}
    for name, content in contents.items():
        with replacing(folder / name) as temporary:
            torch.save(content, temporary)
    return {name: entry_of(folder / name) for name in contents}


def read_parts(folder: Path, rank: int = 0, world: int = 1, wrap: Wrap = lambda rows, _: rows) -> dict[str, Any]:
    """The checkpoint in a folder, with the rows of process `rank` of `world` where tensors are split, whoever wrote it.

    Args:
        folder: Where it lies.
        rank: Whose rows; 0 of 1 takes all.
        world: How many processes share the rows.
        wrap: What stands for such a tensor; its rows, if not given.

    Raises:
        ValueError: There is none, or it is damaged.
    """
    manifest = read_manifest(folder)
    values = _read(folder, manifest, manifest.values_file).get("values")
    ordered = _shapes(values, folder)
    if manifest.processes == world:
        rows = _read_rows(folder, manifest, rank, ordered)
    else:
        rows = _collect(folder, manifest, ordered, rank, world)
    whole: dict[str, Any] = _put_together(values, [wrap(*pair) for pair in zip(rows, ordered, strict=True)])
    return whole


def _read(folder: Path, manifest: Manifest, name: str) -> dict[str, Any]:
    path, wanted = folder / name, manifest.entries[name]
    found = path.stat().st_size if path.is_file() else None
    if found != wanted["size"] or entry_of(path) != wanted:
        how = "missing" if found is None else "not what its manifest says was saved"
        raise ValueError(
            f"checkpoint {folder} is damaged: {name} is {how}; take another checkpoint or start anew without `--ckpt_path`"
        )
    return read_checkpoint(path)


def _read_rows(folder: Path, manifest: Manifest, rank: int, shapes: list[tuple[int, ...]]) -> list[Tensor]:
    """The rows of one of the processes that wrote the checkpoint."""
    name = manifest.part_file(rank)
    rows = _read(folder, manifest, name).get("rows")
    wanted = [[_length(rows_of(shape[0], rank, manifest.processes)), *shape[1:]] for shape in shapes]
    if not isinstance(rows, list) or [list(getattr(one, "shape", ())) for one in rows] != wanted:
        raise ValueError(f"checkpoint {folder} is damaged: {name} has not the rows that its values file marks; take another")
    return rows


def _collect(folder: Path, manifest: Manifest, shapes: list[tuple[int, ...]], rank: int, world: int) -> list[Tensor]:
    """Rows out of the parts of another number of processes, one part after the other."""
    wanted = [rows_of(shape[0], rank, world) for shape in shapes]
    found: list[Tensor] = []
    for part in range(manifest.processes):
        rows = _read_rows(folder, manifest, part, shapes)
        if not found:
            _check_size(folder, manifest, sum(prod(shape) * one.element_size() for shape, one in zip(shapes, rows, strict=True)))
            found = [one.new_empty((_length(own), *one.shape[1:])) for one, own in zip(rows, wanted, strict=True)]
        for shape, one, own, target in zip(shapes, rows, wanted, found, strict=True):
            have = rows_of(shape[0], part, manifest.processes)
            start, stop = max(own.start, have.start), min(own.stop, have.stop)
            if start < stop:
                target[start - own.start : stop - own.start] = one[start - have.start : stop - have.start]
    return found


def _check_size(folder: Path, manifest: Manifest, num_bytes: int) -> None:
    """The parts together are as large as what they are to become."""
    paths = [folder / manifest.part_file(rank) for rank in range(manifest.processes)]
    size = sum(path.stat().st_size for path in paths if path.is_file())
    if num_bytes > size:
        raise ValueError(
            f"checkpoint {folder} is damaged: its parts hold {size} bytes, and its tensors want {num_bytes}; take another"
        )


def _length(rows: slice) -> int:
    return int(rows.stop - rows.start)


def _take_apart(value: Any, rows: list[Tensor]) -> Any:
    """`value` with marks in the place of split tensors, whose own rows are appended to `rows`, on the CPU."""
    if isinstance(value, DTensor):
        rows.append(local(value).to("cpu", copy=True))
        return {_SPLIT: len(rows) - 1, "shape": list(value.shape)}
    if isinstance(value, dict):
        return {name: _take_apart(each, rows) for name, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_take_apart(each, rows) for each in value)
    return value


def _shapes(values: Any, folder: Path) -> list[tuple[int, ...]]:
    """The whole shapes of all split tensors, in their order."""
    try:
        shapes = dict(_marks(values))
        ordered = [shapes[place] for place in range(len(shapes))]
        if not all(shape and min(shape) >= 0 for shape in ordered):
            raise ValueError("a tensor without rows is not split")
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"checkpoint {folder} is damaged: its marks of split tensors are none ({error}); take another"
        ) from error
    return ordered


def _marks(value: Any) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Place and whole shape of each split tensor in a checkpoint that was read."""
    if isinstance(value, dict) and _SPLIT in value:
        yield int(value[_SPLIT]), tuple(int(size) for size in value["shape"])
        return
    children = value.values() if isinstance(value, dict) else value if type(value) in (list, tuple) else ()
    for child in children:
        yield from _marks(child)


def _put_together(value: Any, tensors: list[Tensor]) -> Any:
    """The inverse of `_take_apart`."""
    if isinstance(value, dict):
        if _SPLIT in value:
            return tensors[value[_SPLIT]]
        return {name: _put_together(each, tensors) for name, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_put_together(each, tensors) for each in value)
    return value
