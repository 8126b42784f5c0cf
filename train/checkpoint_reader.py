"""The one reader of checkpoints: plain tensors and values out of a file that is looked through before it is loaded.

`torch.save` writes a zip archive whose parts are stored as they are. All that a checkpoint may hold can be told from the
list of its parts and from the instructions of its pickle, neither of which is executed here.
"""

import pickletools
import sys
import zipfile
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..data.reading import regular_size

_REMEDY = "take another checkpoint, or start anew without `--ckpt_path`"
_MAX_PARTS, _MAX_PICKLE, _MAX_INSTRUCTIONS = 100_000, 2**24, 500_000
_MAX_VALUES, _MAX_DEPTH, _MAX_INT = 1_000_000, 64, 2**63
_STORED_TWICE = 8  # weights that share a storage count each time
_NAMES = {
    "collections.OrderedDict",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch.Size",
    "torch.device",
    "torch.serialization._get_layout",
}
_NAMING = {"GLOBAL", "INST", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4", "OBJ", "PERSID"}
"""Instructions of a pickle that name code; those but the first are written by nothing that saves tensors."""
_PLAIN = (str, bytes, bool, int, float, complex, type(None), torch.device, torch.dtype, torch.layout)


def read_checkpoint(path: Path, map_location: Any | None = None) -> dict[str, Any]:
    """The checkpoint at `path`, on the CPU unless `map_location` says otherwise; nothing in it can run code.

    Raises:
        ValueError: It is no checkpoint, or a damaged one, or larger inside than outside.
    """
    try:
        size = regular_size(path)
        _check_archive(path, size)
        checkpoint = torch.load(path, map_location=map_location or "cpu", weights_only=True)
        _check_values(checkpoint, size)
    except Exception as error:  # whatever bytes can provoke
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        reason = kind + (str(error).splitlines() or [""])[0][:200]
        raise ValueError(
            f"checkpoint {path} cannot be read ({reason}); it is damaged or was not made by `framecast train`; {_REMEDY}"
        ) from error
    return checkpoint


def _check_archive(path: Path, size: int) -> None:
    """Its parts are those that `torch.save` writes, as large as they say, and its pickle names nothing but tensors."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no archive of tensors")
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        _check_parts(parts, size)
        (pickled,) = (part for part in parts if part.filename.endswith("/data.pkl"))
        _check_pickle(archive.read(pickled))
        order = [archive.read(part) for part in parts if part.filename.endswith("/byteorder")]
    if order and order != [sys.byteorder.encode()]:
        raise ValueError(f"its numbers are in the byte order {order[0][:20]!r}, and this machine's is {sys.byteorder}")


def _check_parts(parts: list[zipfile.ZipInfo], size: int) -> None:
    names = [part.filename for part in parts]
    if len(parts) > _MAX_PARTS or len(set(names)) != len(names):
        raise ValueError(f"it has {len(parts)} parts, {len(set(names))} of them with a name of their own")
    if any(part.compress_type != zipfile.ZIP_STORED or part.compress_size != part.file_size for part in parts):
        raise ValueError("its parts are compressed, which those of a checkpoint never are")
    if sum(part.file_size for part in parts) > size:
        raise ValueError(f"its parts say that they are larger than its {size} bytes")
    strange = [name for name in names if "/code/" in name or name.endswith("/constants.pkl")]
    pickles = [part for part in parts if part.filename.endswith("/data.pkl")]
    if strange or len(pickles) != 1:
        raise ValueError(f"it holds {strange[0] if strange else f'{len(pickles)} pickles of tensors'}: no checkpoint has that")
    if pickles[0].file_size > _MAX_PICKLE:
        raise ValueError(f"it describes its tensors in {pickles[0].file_size} bytes; wanted at most {_MAX_PICKLE}")


def _check_pickle(data: bytes) -> None:
    for number, (code, argument, _) in enumerate(pickletools.genops(data)):
        if number > _MAX_INSTRUCTIONS:
            raise ValueError(f"it describes its tensors in more than {_MAX_INSTRUCTIONS} instructions")
        if code.name in _NAMING and not (code.name == "GLOBAL" and _is_harmless(str(argument).replace(" ", "."))):
            raise ValueError(f"it names {argument or code.name}, which is no part of tensors and plain values")


def _is_harmless(name: str) -> bool:
    if name in _NAMES:
        return True
    module, _, kind = name.rpartition(".")
    return module in ("torch", "torch.storage") and (
        kind.endswith("Storage") or isinstance(getattr(torch, kind, None), torch.dtype)
    )


def _check_values(checkpoint: object, size: int) -> None:
    """Tensors and plain values by name, no more of them than `size` bytes can hold; iterative, since they may be nested."""
    if not isinstance(checkpoint, dict):
        raise ValueError(f"it holds a {type(checkpoint).__name__}, and no values by name")
    level: list[object] = [checkpoint]
    count = num_bytes = 0
    for _ in range(_MAX_DEPTH):
        count += len(level)
        num_bytes += sum(_check_value(value) for value in level)
        if count > _MAX_VALUES or num_bytes > _STORED_TWICE * size:
            raise ValueError(f"it unfolds into {count} values and {num_bytes} bytes of tensors from {size} bytes")
        children = chain.from_iterable(_children(value) for value in level)
        level = list(islice(children, _MAX_VALUES + 1))
        if not level:
            return
    raise ValueError(f"its values are nested deeper than {_MAX_DEPTH}")


def _children(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from dict.keys(value)
        yield from dict.values(value)
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from value


def _check_value(value: object) -> int:
    """How many bytes a tensor spans; 0 for all else."""
    if isinstance(value, Tensor):
        if value.layout != torch.strided or value.is_quantized or value.device.type == "meta":
            raise ValueError("it holds a tensor that is not plain")
        return value.numel() * value.element_size()
    if isinstance(value, int) and not -_MAX_INT <= value < _MAX_INT:
        raise ValueError("it holds a whole number of more than 64 bits")
    if not isinstance(value, (*_PLAIN, dict, list, tuple, set, frozenset)):
        raise ValueError(f"it holds a {type(value).__name__}")
    return 0
