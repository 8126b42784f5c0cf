"""Weights in safetensors files: what a file declares is compared with what a network has before any of it is read."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from ..data.reading import parse_json, regular_size

_LENGTH_BYTES, _LARGEST_HEADER = 8, 2**24
_CODE = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
Shapes = dict[str, tuple[int, ...]]


class WeightsError(ValueError):
    """A file of weights that cannot be used; the message begins with its path."""


def declared_shapes(path: Path, num_bytes: int | None = None) -> Shapes:
    """The name and shape of every tensor in a file, of `num_bytes` if given, from its header alone.

    Raises:
        WeightsError: It is no regular file, no safetensors file, or larger or smaller than its header says.
    """
    try:
        size = regular_size(path)
    except ValueError as error:
        raise WeightsError(str(error)) from error
    if num_bytes not in (None, size):
        raise WeightsError(f"{path} is damaged: it has {size} bytes, wanted {num_bytes}; copy or export it anew")
    try:
        with path.open("rb") as file:
            head = file.read(_LENGTH_BYTES)
            if head.startswith(_CODE):
                raise ValueError("it is a TorchScript or a pickle, which can run code, and is not opened")
            length = int.from_bytes(head, "little")
            if not 2 <= length <= min(size - _LENGTH_BYTES, _LARGEST_HEADER):
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            header = parse_json(file.read(length))
        header.pop("__metadata__", None)
        end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
        if _LENGTH_BYTES + length + end != size:
            raise ValueError(f"its header speaks of {end} bytes, and {size - _LENGTH_BYTES - length} follow")
        return {str(name): tuple(int(n) for n in entry["shape"]) for name, entry in header.items()}
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(f"{path} is no safetensors file ({error}); copy, export or convert it anew") from error


def misfits(declared: Mapping[str, tuple[int, ...]], own: Mapping[str, Tensor]) -> list[str]:
    """Names that only one side has, or else those whose shapes differ."""
    return sorted(set(own) ^ set(declared)) or [name for name in own if tuple(own[name].shape) != declared[name]]


def load_weights(module: nn.Module, path: Path, optional: frozenset[str] = frozenset()) -> None:
    """Fills a network from a file that has all of its names and shapes, all finite, and nothing else.

    Names in `optional` may be in the file or not, since networks do without them.

    Raises:
        WeightsError: The file does not fit.
    """
    own = {name: value for name, value in module.state_dict().items() if name not in optional}
    declared = {name: shape for name, shape in declared_shapes(path).items() if name not in optional}
    if strange := misfits(declared, own):
        raise WeightsError(
            f"{path} holds weights of another network: {', '.join(strange[:3])} is missing, extra or of another shape"
        )
    try:
        weights = load_tensors(path.read_bytes())
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no safetensors file ({error}); copy or convert it anew") from error
    broken = [name for name in own if not torch.isfinite(weights[name].float()).all()]
    if broken:
        raise WeightsError(f"{path} holds values that are not finite in {', '.join(broken[:3])}; convert it anew")
    module.load_state_dict({name: weights[name] for name in own}, strict=not optional)
