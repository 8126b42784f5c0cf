"""The starts that a bundle keeps: tokens in a file of their own, names and prompts in the config."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from ..data import read_video
from ..data.caption_lines import CAPTIONS_FILE, read_caption_lines
from ..data.kinds import real
from .bundle_files import BundleError, open_bundle, parse_config, write_files
from .bundle_folder import CONFIG, STARTS
from .codec import VideoCodec
from .given import as_tokens
from .starts import Start

_MOST = 256
_KEY, _TOKENS = "starts", "tokens"


def pack_starts(
    starts: Sequence[Start], codebook_size: int, frame_shape: tuple[int, int] | None
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What a config says of starts, and their file by its name; nothing of none.

    Raises:
        ValueError: There are too many, two have one name, they differ in length, or tokens are those of no such tokenizer.
    """
    if not starts:
        return {}, {}
    names, lengths = [start.name for start in starts], sorted({len(start.tokens) for start in starts})
    if len(names) > _MOST or len(set(names)) < len(names) or not all(names) or len(lengths) > 1:
        raise ValueError(
            f"got {len(names)} starts of {', '.join(map(str, lengths))} latent frames; wanted at most {_MOST}, each with a name "
            "of its own, and all of one length"
        )
    tokens = torch.stack([as_tokens(start.tokens, codebook_size, frame_shape) for start in starts])
    said = [{"name": start.name, "prompt": start.prompt} for start in starts]
    return {_KEY: said}, {STARTS: save_tensors({_TOKENS: tokens.int()})}


def unpack_starts(
    config: Mapping[str, Any], files: Mapping[str, bytes], codebook_size: int, frame_shape: tuple[int, int]
) -> tuple[Start, ...]:
    """The inverse of `pack_starts`.

    Raises:
        ValueError: Config and file do not fit, or the tokens are those of no such tokenizer.
        LookupError: The file is missing, or something in it.
    """
    said = config.get(_KEY)
    if said is None:
        return ()
    try:
        tokens = load_tensors(files[STARTS])[_TOKENS]
    except SafetensorError as error:
        raise ValueError(f"{STARTS} is no safetensors file ({error})") from error
    if tokens.ndim != 4 or len(tokens) != len(said) or len(said) > _MOST:
        raise ValueError(f"{len(said)} starts and tokens of shape {list(tokens.shape)}")
    return tuple(
        Start(_text(one["name"]), as_tokens(grid, codebook_size, frame_shape), _text(one["prompt"], True))
        for one, grid in zip(said, tokens, strict=True)
    )


def add_starts(folder: str | Path, starts: Sequence[Start]) -> Path:
    """Lets a bundle keep starts, in place of those that it has.

    Args:
        folder: The bundle's.
        starts: In the order of their numbers; none takes away what there is.

    Raises:
        BundleError: The folder is no bundle, or damaged.
        ValueError: The starts do not fit it.
    """
    found = open_bundle(folder)
    config = parse_config(found.read(CONFIG))
    if config["lm"] is None:
        raise BundleError(f"{found.path} holds a tokenizer and no video LM; wanted both: a start is gone on from")
    rows, columns = config["lm"]["frame_shape"]
    said, files = pack_starts(starts, config["lm"]["codebook_size"], (rows, columns))
    kept = {name: found.read(name) for name in found.entries if name not in (CONFIG, STARTS)}
    changed = {**{name: value for name, value in config.items() if name != _KEY}, **said}
    return write_files(found.path, {CONFIG: json.dumps(changed, indent=2).encode(), **kept, **files})


def start_of_video(
    codec: VideoCodec, video: str | Path, num_latent_frames: int = 5, seconds: float = 0.0, name: str | None = None
) -> Start:
    """The start of a video: frames of it, with its caption of `captions.jsonl` beside it.

    Args:
        codec: Of the bundle that is to keep the start.
        video: A file.
        num_latent_frames: How many of them.
        seconds: Where in the video they begin.
        name: What a person calls it; the file's if None.

    Raises:
        ValueError: The video cannot be read, or is too short.
    """
    path = Path(video)
    first = round(real("seconds", seconds, 0.0, 1e6, "the seconds of the video at which the start begins") * codec.fps)
    frames = read_video(path, fps=codec.fps, size=(codec.height, codec.width)).frames[first:]
    wanted = codec.stride.num_frames(num_latent_frames)
    if len(frames) < wanted:
        there = f"{len(frames)} frames at {codec.fps:g} frames/s" + (f" from {seconds:g} s on" if seconds else "")
        raise ValueError(f"got {path} with {there}; wanted at least {wanted} for a start")
    listing = path.parent / CAPTIONS_FILE
    texts = read_caption_lines(listing)[0].get(path.name, ()) if listing.is_file() else ()
    return Start(name or path.stem, codec.encode(frames[:wanted]), texts[0].text if texts else None)


def _text(value: object, may_lack: bool = False) -> Any:
    if not isinstance(value, str) and not (may_lack and value is None):
        raise TypeError(f"{value!r:.40} in place of a text")
    return value
