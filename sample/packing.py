"""Tensors and plain values as bytes and back: safetensors with a checksum over all of it, so that no code can hide inside."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

_KEY = "framecast"
_LENGTH_BYTES = 8  # of a safetensors file, before its header


class PackingError(ValueError):
    """Bytes that were not made by `pack`, or not as they are now."""


def pack(tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> bytes:
    """A safetensors file with `values` (what JSON can hold) in its metadata."""
    text = json.dumps(dict(values), sort_keys=True, default=plain)
    arrays = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save_tensors(arrays, metadata={_KEY: json.dumps([_checksum(arrays, text), text])})  # one key: several have no order


def plain(value: Any) -> Any:
    """What JSON writes for a number of numpy or torch.

    Raises:
        TypeError: It is no number.
    """
    if isinstance(value, (np.generic, Tensor)):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no plain value")


def unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The inverse of `pack`.

    Raises:
        PackingError: The bytes are damaged, or something else.
    """
    if not isinstance(data, bytes | bytearray):
        raise PackingError(f"{type(data).__name__} in place of bytes")
    try:
        arrays = load_tensors(data)
        end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
        checksum, text = json.loads(json.loads(data[_LENGTH_BYTES:end])["__metadata__"][_KEY])
        values = json.loads(text)
    except (SafetensorError, LookupError, TypeError, ValueError, RecursionError, AttributeError) as error:
        raise PackingError(f"{len(data)} bytes that cannot be read ({type(error).__name__}: {error})") from error
    if checksum != _checksum(arrays, text) or not isinstance(values, dict):
        raise PackingError(f"{len(data)} bytes whose checksum is wrong: they were damaged on the way")
    return arrays, values


def fingerprint(module: nn.Module) -> str:
    """sha256 of a network's weights: names, shapes, types and every bit; networks that agree on it make the same tokens."""
    return _checksum(dict(module.state_dict()), "")


def millions(module: nn.Module) -> str:
    """The parameters of a network, for a person."""
    return f"{sum(p.numel() for p in module.parameters()) / 1e6:.2f}M"


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b"")
    return digest.hexdigest()
