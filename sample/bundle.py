"""Bundles: a folder with everything needed to generate, none of which can run code."""

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, nextafter
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from ..data.actions import ActionSpace
from ..data.kinds import as_path, real
from ..machine import warn_if_slow
from ..model import VideoLM
from ..progress import Task
from ..tokenizer import TextTokenizer, VideoTokenizer
from .bundle_config import build_networks, check_declared, check_sizes, check_space, describe_misfits, describe_networks
from .bundle_files import (
    FORMAT,
    BundleError,
    BundleFiles,
    caption_words,
    only_caption,
    open_bundle,
    parse_config,
    space_of,
    write_files,
)
from .bundle_folder import CARD, CONFIG, LM, MANIFEST, MAX_PICTURE, PICTURE, TEXT, TOKENIZER, check_bundle_folder
from .bundle_starts import pack_starts, unpack_starts
from .codec import VideoCodec
from .compiled import check_compiler
from .generator import VideoGenerator
from .packing import millions, plain
from .params import SamplingParams
from .placing import Device, Dtype, as_device, as_dtype
from .settings import Params, as_params, pack_params, unpack_params
from .starts import Start
from .weights import misfits

_VIDEO = ("height", "width", "fps")
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError, AssertionError)
"""What building networks from strange numbers raises."""

_JPEG = b"\xff\xd8\xff"  # what such files begin with


@dataclass(frozen=True, repr=False)
class Bundle:
    """What a bundle holds.

    Attributes:
        path: The folder.
        tokenizer: Pixels to tokens and back, in float32.
        lm: Tokens to next tokens; `None` in a bundle of a tokenizer alone.
        text_tokenizer: Prompts to ids; `None` if there is no LM.
        height: Rows of the frames it was trained on, in pixels.
        width: Columns of the frames it was trained on, in pixels.
        fps: Frames per second it was trained on.
        training: How it was made, as the training wrote it.
        hashes: sha256 of every file, by name.
        action_space: What can be done in its world; `None` of a model that knows no actions.
        starts: First frames from which its world can begin.
        params: How its tokens are best chosen.
        caption: What all videos of its training showed, as `VideoGenerator.caption`.
    """

    path: Path
    tokenizer: VideoTokenizer
    lm: VideoLM | None
    text_tokenizer: TextTokenizer | None
    height: int
    width: int
    fps: float
    training: dict[str, Any]
    hashes: dict[str, str]
    action_space: ActionSpace | None = None
    starts: tuple[Start, ...] = ()
    params: SamplingParams = field(default_factory=SamplingParams)
    caption: str | None = None

    def __repr__(self) -> str:
        lm = "no LM" if self.lm is None else f"LM {millions(self.lm)}"
        sizes = f"{self.height}x{self.width}, {self.fps:g} frames/s, tokenizer {millions(self.tokenizer)}, {lm}"
        return f"Bundle({str(self.path)!r}, {sizes})"

    @property
    def trained_on(self) -> str:
        """Where the clips of its training came from, such as "SpriteWorld"; "" if the bundle does not say."""
        return str(self.training.get("source", ""))

    def codec(self) -> VideoCodec:
        """The tokenizer for frames of the size that it was trained on, on the CPU."""
        return VideoCodec(self.tokenizer, self.height, self.width, self.fps, self.path.resolve().name, self.trained_on)

    def generator(self, device: Device = "cpu", dtype: Dtype = torch.float32, compile: bool = False) -> VideoGenerator:
        """A generator of these parts; elsewhere than on the CPU and in float32, of copies.

        Args:
            device: Where it computes, such as "cuda".
            dtype: Precision of the video LM, such as "bfloat16" or `torch.bfloat16`. bfloat16 is faster for large ones, and
                gives other tokens. The tokenizer stays in float32, so that all of them have one meaning.
            compile: Whether the layers of the video LM are compiled: a start of minutes, then faster steps.

        Raises:
            BundleError: The bundle holds a tokenizer alone, or its parts do not fit each other.
            ValueError: There is no such device or precision, or the machine lacks what compiling needs.
        """
        device, dtype = as_device(device), as_dtype(dtype)
        if self.lm is None or self.text_tokenizer is None:
            raise BundleError(f"{self.path} holds a tokenizer and no video LM; wanted both to generate; train an LM on it first")
        if compile:
            check_compiler(device)
        warn_if_slow(dtype, device)
        tokenizer, lm = self.tokenizer, self.lm
        if device.type != "cpu" or dtype != torch.float32:
            tokenizer, lm = copy.deepcopy(tokenizer).to(device), copy.deepcopy(lm).to(device, dtype)
        try:
            parts = (tokenizer, lm, self.text_tokenizer)
            size, name = (self.height, self.width, self.fps), self.path.resolve().name
            world: Any = (self.action_space, self.starts, self.params, self.caption)
            return VideoGenerator(*parts, *size, name, compile, self.trained_on, *world)
        except ValueError as error:
            raise BundleError(f"{self.path}: {error}") from error


def save_bundle(
    folder: str | Path,
    tokenizer: VideoTokenizer,
    lm: VideoLM | None = None,
    text_tokenizer: TextTokenizer | None = None,
    *,
    video: Mapping[str, float],
    training: Mapping[str, Any] | None = None,
    card: str = "",
    picture: bytes | None = None,
    dtype: Dtype = torch.float32,
    action_space: ActionSpace | None = None,
    starts: Sequence[Start] = (),
    params: Params = None,
) -> Path:
    """Writes a bundle; the folder appears whole or not at all, and replaces an older bundle of that name.

    Args:
        folder: Where to; the folder above it must exist.
        tokenizer: The video tokenizer.
        lm: The video LM, if there is one.
        text_tokenizer: Its text tokenizer.
        video: `height`, `width` and `fps` of the training videos.
        training: How it was made; plain values.
        card: The model card, Markdown.
        picture: A picture for the card, a JPEG file of at most 200,000 bytes; `picture.jpg` in the bundle.
        dtype: Precision of the stored weights; "bfloat16" halves the size.
        action_space: What can be done in the world of the videos, if the LM knows actions.
        starts: First frames from which its world can begin, all of one length.
        params: How its tokens are best chosen, which holds where a call says nothing; `None` are the defaults.

    Raises:
        ValueError: The folder above does not exist, `folder` is something else than a bundle, `dtype` is no precision, an LM
            comes without its text tokenizer or with an action space of another size, or the picture is no small JPEG.
    """
    folder, dtype = as_path(folder, "a bundle's folder"), as_dtype(dtype)
    _check_parts(lm, text_tokenizer, action_space)
    sizes = _checked_sizes(video)
    check_bundle_folder(folder)
    _check_picture(picture)
    said, of_starts = pack_starts(starts, tokenizer.codebook_size, None if lm is None else lm.config.frame_shape)
    config = {
        "format": FORMAT,
        **describe_networks(tokenizer, lm),
        "video": sizes,
        "text": _described(text_tokenizer),
        "training": dict(training or {}),
        **({} if action_space is None else {"action_space": action_space.to_json()}),
        **said,
        **pack_params(as_params(params)),
    }
    files = {
        CONFIG: json.dumps(config, indent=2, default=plain).encode(),
        TOKENIZER: _weights(tokenizer, dtype),
        CARD: card.encode(),
    }
    if lm is not None and text_tokenizer is not None:
        files |= {LM: _weights(lm, dtype), TEXT: text_tokenizer.model_bytes}
    if picture is not None:
        files[PICTURE] = picture
    return write_files(folder, {**files, **of_starts})


def _checked_sizes(video: Mapping[str, float]) -> dict[str, float]:
    """`height`, `width` and `fps` of the videos. Raises ValueError if one is missing, or no number above 0."""
    missing = [name for name in _VIDEO if not isinstance(video, Mapping) or name not in video]
    if missing:
        raise ValueError(f"got video {video!r:.80} without {', '.join(missing)}; wanted a dict of {', '.join(_VIDEO)}")
    return {name: real(f"video {name}", video[name], nextafter(0, 1), inf, "a number above 0") for name in _VIDEO}


def _check_parts(lm: VideoLM | None, text_tokenizer: TextTokenizer | None, space: ActionSpace | None) -> None:
    if (lm is None) != (text_tokenizer is None):
        raise ValueError("got a video LM or a text tokenizer alone; wanted both, or neither for a tokenizer's bundle")
    try:
        check_space(lm, space)
    except ValueError as error:
        raise ValueError(f"got {error}; give `action_space`, that of the clips it was trained on") from error


def _described(text_tokenizer: TextTokenizer | None) -> dict[str, Any] | None:
    """What a config says of a text tokenizer: the words of its training, if they are known."""
    if text_tokenizer is None or text_tokenizer.words is None:
        return None
    return {"words": sorted(text_tokenizer.words)}


def _check_picture(picture: bytes | None) -> None:
    if picture is not None and not (picture.startswith(_JPEG) and len(picture) <= MAX_PICTURE):
        kind = "a JPEG" if picture.startswith(_JPEG) else "no JPEG"
        raise ValueError(
            f"got a picture of {len(picture):,} bytes, {kind}; wanted a JPEG of at most {MAX_PICTURE:,}; make it smaller"
        )


def load_bundle(folder: str | Path | None = None) -> Bundle:
    """Reads a bundle; nothing in it can run code.

    Args:
        folder: A bundle's folder; `None` is the shipped model, and "world" the shipped world.

    Raises:
        BundleError: The folder is no bundle, or damaged, or of another format.
    """
    found = open_bundle(folder)
    with Task(f"loading {found.path.resolve().name}"):
        return _load(found)


def _load(found: BundleFiles) -> Bundle:
    path = found.path
    files = {name: found.read(name) for name in found.entries if name not in (TOKENIZER, LM)}
    try:
        config = parse_config(files[CONFIG])
        check_sizes(config)
        _check_declared(config, found)
        files |= {name: found.read(name) for name in (TOKENIZER, LM) if name in found.entries}
        tokenizer, lm = build_networks(config)
        height, width, fps = _video(config["video"], tokenizer)
        training = dict(config["training"])
        words = caption_words(config)
        space, caption = space_of(config), only_caption(config)
        check_space(lm, space)
        params = unpack_params(config)
        starts = unpack_starts(config, files, tokenizer.codebook_size, tokenizer.frame_shape(height, width))
    except BundleError:
        raise
    except _MISFITS as error:
        reason = f"{type(error).__name__}: {error}"
        raise BundleError(f"{path / CONFIG} is damaged or of another version ({reason}); export or copy it anew") from error
    _fill(tokenizer, files[TOKENIZER], path / TOKENIZER)
    text = None if lm is None else _fill_lm(lm, files, path, words)
    world = (space, starts, params, caption)
    return Bundle(path, tokenizer, lm, text, height, width, fps, training, found.hashes, *world)


def load_generator(
    folder: str | Path | None = None,
    device: Device = "cpu",
    dtype: Dtype = torch.float32,
    compile: bool = False,
) -> VideoGenerator:
    """The generator of a bundle: what most programs begin with.

    Args:
        folder: A bundle's folder; `None` is the shipped model, and "world" the shipped world.
        device: Where it computes, such as "cpu" or "cuda".
        dtype: Precision of the video LM, such as "float32" or "bfloat16"; the tokenizer stays in float32.
        compile: Whether the layers of the video LM are compiled: a start of minutes, then faster steps.

    Raises:
        BundleError: The folder is no bundle, or damaged, or holds a tokenizer alone.
        ValueError: There is no such device here, `dtype` is no precision, or the machine lacks what compiling needs.
    """
    return load_bundle(folder).generator(device, dtype, compile)


def _video(video: dict[str, Any], tokenizer: VideoTokenizer) -> tuple[int, int, float]:
    height, width, fps = int(video["height"]), int(video["width"]), float(video["fps"])
    tokenizer.frame_shape(height, width)
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps {fps}; wanted a number above 0")
    return height, width, fps


def _weights(module: nn.Module, dtype: torch.dtype) -> bytes:
    def stored(value: Tensor) -> Tensor:
        value = value.detach().cpu()
        return (value.to(dtype) if value.is_floating_point() else value).contiguous()

    return save_tensors({name: stored(value) for name, value in module.state_dict().items()})


def _fill(module: nn.Module, data: bytes, path: Path) -> None:
    """Puts weights into a module: all of its own names and shapes, all finite, nothing else."""
    try:
        weights = load_tensors(data)
    except SafetensorError as error:
        raise BundleError(f"{path} is no safetensors file ({error}); copy or export the bundle anew") from error
    if strange := misfits({name: tuple(value.shape) for name, value in weights.items()}, module.state_dict()):
        raise BundleError(f"{path} does not fit its config.json: {describe_misfits(strange)}")
    broken = [name for name, value in weights.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        raise BundleError(
            f"{path} holds values that are not finite in {', '.join(broken[:3])}; export it from an earlier checkpoint"
        )
    module.load_state_dict(weights)


def _fill_lm(lm: VideoLM, files: Mapping[str, bytes], path: Path, words: Iterable[str] | None) -> TextTokenizer:
    """Puts weights into the LM; returns its text tokenizer, whose captions had these words."""
    _fill(lm, files[LM], path / LM)
    try:
        return TextTokenizer(files[TEXT], words)
    except ValueError as error:
        raise BundleError(f"{path / TEXT}: {error}") from error


def _check_declared(config: dict[str, Any], found: BundleFiles) -> None:
    """The files of weights declare what the config speaks of, before they are read and it is built."""
    path = found.path
    if config["lm"] is not None and (missing := [name for name in (LM, TEXT) if name not in found.entries]):
        raise BundleError(f"{path / MANIFEST} does not name {missing[0]}, which {CONFIG} wants; export or copy the bundle anew")
    declared = {name: found.shapes(name) for name in (TOKENIZER, LM) if name in found.entries}
    try:
        check_declared(config, declared[TOKENIZER], declared.get(LM))
    except ValueError as error:
        part, colon, wrong = str(error).partition(": ")
        if not colon or part not in ("tokenizer", "lm"):
            raise
        raise BundleError(f"{path / part}.safetensors does not fit its config.json: {wrong}; export or copy it anew") from error
