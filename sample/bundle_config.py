"""What the config of a bundle may say: networks whose weights are there, and sizes within reason."""

from contextlib import nullcontext
from dataclasses import asdict
from math import prod
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ..data.actions import ActionSpace
from ..model import VideoLM, VideoLMConfig
from ..tokenizer import VideoTokenizer, VideoTokenizerConfig, quantizer_named
from .declared import Shapes
from .weights import misfits

_MOST = {"height": 2**14, "width": 2**14, "max_prompt_length": 2**14, "tokens in reach": 2**22}
"""What a config may ask for beside weights."""

_CODEBOOK = ("codebook_size", "codebook_size_per_level", "num_quantizers", "dim")
_NOT_THERE = "is missing, extra or of another shape"


def describe_networks(tokenizer: VideoTokenizer, lm: VideoLM | None = None) -> dict[str, Any]:
    """What a config says of networks, from which `build_networks` makes them again."""
    quantizer = {"name": type(tokenizer.quantizer).__name__, "options": tokenizer.quantizer.options}
    return {
        "tokenizer": {"config": asdict(tokenizer.config), "quantizer": quantizer},
        "lm": None if lm is None else asdict(lm.config),
    }


def build_networks(config: dict[str, Any], device: str = "cpu") -> tuple[VideoTokenizer, VideoLM | None]:
    """The networks of a config; on the device "meta" their shapes alone, but for the quantizer's."""
    quantizer = config["tokenizer"]["quantizer"]
    codes = quantizer_named(quantizer["name"])(**quantizer["options"])
    shape = VideoTokenizerConfig(**config["tokenizer"]["config"])
    with torch.device(device), _Unfilled() if device == "meta" else nullcontext():
        tokenizer = VideoTokenizer(shape, codes)
        lm = None if config["lm"] is None else VideoLM(VideoLMConfig(**config["lm"]))
    return tokenizer, lm


class _Unfilled(TorchFunctionMode):
    """Leaves new parameters on the device "meta" as they are: random ones, which have no values there, load torch's compiler."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", "") != "torch.nn.init":
            return func(*args, **(kwargs or {}))
        return args[0] if args else kwargs["tensor"]


def check_space(lm: VideoLM | None, space: ActionSpace | None) -> None:
    """Raises ValueError unless the LM knows as many actions as the action space has; a tokenizer alone may have any."""
    known, there = 0 if lm is None else lm.config.num_actions, 0 if space is None else space.size
    if lm is not None and known != there:
        named = "no action space" if space is None else f"an action space of {there} numbers"
        wanted = f"one of {known}, which it was trained with" if known else "none: it was trained without actions"
        raise ValueError(f"{named} for a video LM with {known or 'no'} actions; wanted {wanted}")


def check_sizes(config: dict[str, Any]) -> None:
    """Numbers that no weights bear out are within reason, since memory is set aside for them later."""
    sizes = {"height": config["video"]["height"], "width": config["video"]["width"]}
    lm = config["lm"]
    if lm is not None:
        rows, columns = lm["frame_shape"]
        frames = 1 + lm.get("sink_frames", 1) + lm.get("context_frames", 1)
        sizes |= {"max_prompt_length": lm.get("max_prompt_length", 1), "tokens in reach": frames * rows * columns}
    for name, size in sizes.items():
        if isinstance(size, int) and size > _MOST[name]:
            raise ValueError(f"{size} {name}; this version takes at most {_MOST[name]}")


def check_declared(config: dict[str, Any], tokenizer: Shapes, lm: Shapes | None) -> None:
    """The weights that files declare are those of the networks in the config, none of which is built for this.

    Raises:
        ValueError: They are of other networks; the message begins with "tokenizer" or "lm".
    """
    _check_counts(config, tokenizer, lm)
    built = build_networks(config, "meta")
    for name, declared, network in zip(("tokenizer", "lm"), (tokenizer, lm), built, strict=True):
        if network is not None and declared is not None and (strange := misfits(declared, network.state_dict())):
            raise ValueError(f"{name}: {describe_misfits(strange)}")


def describe_misfits(names: list[str]) -> str:
    """The misfits in words."""
    return f"{', '.join(names[:3])} {_NOT_THERE}"


def _check_counts(config: dict[str, Any], tokenizer: Shapes, lm: Shapes | None) -> None:
    """No more layers and codes than there are weights, since even a network without memory takes time to build."""
    blocks = sum(config["tokenizer"]["config"].get("num_blocks", ()))
    if blocks > len(tokenizer):
        raise ValueError(f"tokenizer: {blocks} blocks in {len(tokenizer)} weights: what they need {_NOT_THERE}")
    options = config["tokenizer"]["quantizer"]["options"]
    codes = prod(options.get(name, 1) for name in _CODEBOOK)
    values = sum(prod(shape) for shape in tokenizer.values())
    if codes > max(values, 1):
        raise ValueError(f"tokenizer: {codes} numbers of a codebook in {values}: what it needs {_NOT_THERE}")
    if config["lm"] is not None and lm is not None:
        layers = config["lm"].get("num_layers", 0) + config["lm"].get("text_layers", 0)
        if layers > len(lm):
            raise ValueError(f"lm: {layers} layers in {len(lm)} weights: what they need {_NOT_THERE}")
        actions = max(config["lm"].get("num_actions", 0), config["lm"].get("action_frames", 1))
        if actions > (numbers := sum(prod(shape) for shape in lm.values())):
            raise ValueError(f"lm: {actions} actions in {numbers} numbers: what they need {_NOT_THERE}")
