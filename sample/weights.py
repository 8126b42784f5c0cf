"""Weights in safetensors files: what a file declares is compared with what a network has before any of it is read."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from .declared import WeightsError, declared_shapes


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
