"""What a path holds, in rows for a person: a bundle, whose networks are not loaded, tokens, a snapshot, a video, and more."""

import shlex
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .data.reading import read_regular, regular_size
from .sample.bundle_files import (
    SHIPPED,
    BundleError,
    BundleFiles,
    caption_words,
    only_caption,
    open_bundle,
    parse_config,
    space_of,
)
from .sample.bundle_folder import CONFIG, LM, NAMES, TOKENIZER
from .tokenizer.config import VideoTokenizerConfig
from .training_descriptions import describe_training, shown

if TYPE_CHECKING:
    from .data.actions import ActionSpace
    from .data.fitting import PictureInfo

Rows = list[tuple[str, str]]

_SHOWN_WORDS = 80
_LARGEST_SNAPSHOT = 2**32
_TOKENS, _CHECKPOINT, _SAFETENSORS = b"FRAMECAST TOKENS ", b"PK\x03\x04", b"{"
_PLAN, _BUNDLES_OF_A_RUN = "plan.json", ("bundle", "tokenizer/bundle")
_MOTION_JPEG = (".mjpeg", ".mjpg")  # which begin as a picture does
_HEADER_AT = 8  # of a safetensors file, behind the length of the header


def describe(path: str | None) -> Rows:
    """The rows of what is at `path`; `None` is the shipped model, and "world" the shipped world.

    Raises:
        ValueError: It is nothing that a model is made of or makes, or damaged.
    """
    if path in SHIPPED and not Path(path).exists():
        return describe_bundle(open_bundle(path))
    if path is not None and not Path(path).is_dir():
        return _reader_of(Path(path))(Path(path))
    if path is not None and not (Path(path) / CONFIG).is_file():
        return _of_folder(Path(path))
    return describe_bundle(open_bundle(path))


def describe_bundle(bundle: BundleFiles) -> Rows:
    """What a bundle holds, after each file was compared with its hash."""
    for name in bundle.entries:
        bundle.read(name)
    try:
        config = parse_config(bundle.read(CONFIG))
        rows = [("bundle", str(bundle.path)), *_of_networks(config, bundle), *describe_training(config["training"])]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise BundleError(
            f"{bundle.path / CONFIG} is damaged or of another version ({reason}); export or copy it anew"
        ) from error
    return rows + [(name, digest[:16]) for name, digest in bundle.hashes.items()]


def _of_networks(config: Mapping[str, Any], bundle: BundleFiles) -> Rows:
    video, lm = config["video"], config["lm"]
    shape, quantizer = VideoTokenizerConfig(**config["tokenizer"]["config"]), config["tokenizer"]["quantizer"]
    codes = lm["codebook_size"] if lm else _codebook_size(quantizer)
    rows = [
        ("video", f"{video['height']}x{video['width']} pixels, {video['fps']:g} frames/s"),
        ("tokenizer", f"{_count(bundle, TOKENIZER)} parameters, {quantizer['name']}, {codes:,} codes"),
        ("strides", f"{shape.temporal_stride} frames, {shape.spatial_stride} pixels"),
    ]
    if lm:
        rows += [
            ("video LM", f"{_count(bundle, LM)} parameters, width {lm['width']}, {lm['num_layers']} layers"),
            ("tokens", f"{lm['frame_shape'][0]}x{lm['frame_shape'][1]} in a latent frame"),
            ("context", f"{lm['sink_frames']} sink and {lm['context_frames']} latest latent frames"),
            ("words", _shown_words(config)),
        ]
    space = space_of(dict(config))
    if space is not None:
        grain = shape.temporal_stride / video["fps"]
        rows += [("actions", f"{shown(space.names)}; they count from the next {1000 * grain:.0f} ms on"), *_of_space(space)]
    if starts := config.get("starts"):
        rows.append(("starts", shown([start["name"] for start in starts])))
    if lm and (caption := only_caption(config)):
        rows.append(("only caption", f"{caption}; shown if no prompt is given"))
    if lm and (sampling := config.get("sampling")):
        rows.append(("settings", f"{shown(sampling)}, unless others are given"))
    if lm and (heads := [name for name in ("rewards", "ends") if lm.get(name)]):
        rows += [("predicts", " and ".join(heads))]
    return rows


def _of_space(space: "ActionSpace") -> Rows:
    """Buttons and axes, with their keys; this loads numpy."""
    from .recording_descriptions import describe_space

    return describe_space(space)


def _codebook_size(quantizer: Mapping[str, Any]) -> int:
    """Codes of a tokenizer without an LM, which would name them; this loads torch."""
    from .tokenizer import quantizer_named

    return quantizer_named(quantizer["name"])(**quantizer["options"]).codebook_size


def _count(bundle: BundleFiles, name: str) -> str:
    return f"{sum(prod(shape) for shape in bundle.shapes(name).values()) / 1e6:.2f}M"


def _shown_words(config: Mapping[str, Any]) -> str:
    """The words of the training captions, as far as they are known and few."""
    words = caption_words(dict(config))
    if words is None:
        return "not known: the bundle does not say"
    spoken = sorted(word for word in words if any(letter.isalnum() for letter in word))
    if not spoken:
        return "none: it was trained without captions"
    return f"{len(spoken):,}: {' '.join(spoken[:_SHOWN_WORDS])}{' ...' if len(spoken) > _SHOWN_WORDS else ''}"


def describe_tokens(path: Path) -> Rows:
    """What a token file holds."""
    from .sample import read_tokens

    video = read_tokens(path)
    header, rows, columns = video.header, video.tokens.shape[-2], video.tokens.shape[-1]
    end = "" if video.whole else "; its end is cut off, or still being written"
    found = [
        ("token file", f"{path}, {video.num_bytes:,} bytes{end}"),
        ("video", f"{video.num_frames:,} frames of {header.height}x{header.width} pixels, {header.fps:g} frames/s"),
        ("seconds", f"{video.seconds:.2f}"),
        ("tokens", f"{len(video.tokens):,} latent frames of {rows}x{columns}, {header.codebook_size:,} codes"),
        ("bits per pixel", f"{video.bits_per_pixel:.4f}"),
        ("made by", f"the tokenizer of {header.name!r}, sha256 {header.tokenizer[:16]}"),
    ]
    if header.seed is None:
        return [*found, ("origin", "a video that was encoded")]
    settings = [("seed", str(header.seed)), ("settings", str(header.params))]
    if header.action_space is not None and video.actions is not None:
        known = int((~video.actions.isnan().any(-1)).any(-1).sum())
        settings.append(("actions", f"{shown(header.action_space.names)}; known in {known:,} latent frames"))
    if video.past.num_given:
        settings.append(("given", f"the first {video.past.num_given:,} latent frames"))
    return found + settings + [(f"prompt from {seconds:.2f} s", text) for seconds, text in video.timeline()]


def describe_snapshot(path: Path) -> Rows:
    """What a snapshot of a stream says beside its tensors."""
    from .sample.snapshot import read_about

    about = read_about(read_regular(path, _LARGEST_SNAPSHOT))
    rows = [
        ("snapshot", f"{path}, {regular_size(path):,} bytes"),
        ("stands at", f"latent frame {about['latent_index']:,}"),
        ("prompt", str(about["prompt"])),
        ("seed", str(about["seed"])),
        ("settings", ", ".join(f"{name} {value}" for name, value in about["params"].items())),
        ("frames not yet taken", str(len(about.get("pending", about.get("ready", []))))),
    ]
    rows += [(f"prompt from latent frame {start}", text) for start, text in about["upcoming"]]
    return rows + [(f"made by {name}", f"sha256 {digest[:16]}") for name, digest in about["hashes"].items()]


def describe_video(path: Path) -> Rows:
    """What a video file says of itself, or a picture."""
    from .data import probe_video
    from .data.fitting import probe_picture

    picture = None if path.suffix.lower() in _MOTION_JPEG else probe_picture(path)
    if picture is not None and (picture.num_frames == 1 or picture.kind == "WEBP"):  # a WebP that moves is no video to read
        return _of_picture(path, picture)
    info = probe_video(path)
    length = "unknown" if info.duration is None else f"{info.duration:.2f} s"
    count = "" if info.num_frames is None else f", {info.num_frames:,} frames"
    return [
        ("video file", f"{path}, {regular_size(path):,} bytes"),
        ("video", f"{info.height}x{info.width} pixels, {info.fps:.4g} frames/s{count}, {length}"),
    ]


def _of_picture(path: Path, picture: "PictureInfo") -> Rows:
    rows = [("picture file", f"{path}, {regular_size(path):,} bytes")]
    shape = f"{picture.height}x{picture.width} pixels, {picture.kind}"
    if picture.num_frames == 1:
        return [*rows, ("picture", shape)]
    return [*rows, ("moving picture", f"{shape}, {picture.num_frames:,} frames")]


def _of_folder(folder: Path) -> Rows:
    """What a folder without a bundle holds, if it says something of actions; a bundle's error otherwise."""
    from .recording_descriptions import describe_recording

    found = describe_recording(folder)
    if found is None:
        _refuse_folder(folder)
    return found or describe_bundle(open_bundle(folder))


def _refuse_folder(folder: Path) -> None:
    """Says what to type for a folder that is no bundle and plainly something else.

    Raises:
        BundleError: It is the folder of a run, or one of videos.
    """
    made = next((place for place in _BUNDLES_OF_A_RUN if (folder / place / CONFIG).is_file()), None)
    if made is not None:
        line = shlex.join(["framecast", "info", str(folder / made)])
        raise BundleError(f"got {folder}, the folder of a run; wanted its bundle: `{line}`")
    if (folder / _PLAN).is_file():
        raise BundleError(
            f"got {folder}, the folder of a run, which has made no bundle yet; its training goes on if started again"
        )
    video = _first_video(folder)
    if video is not None:
        line, train = (shlex.join(["framecast", *words]) for words in (["info", str(video)], ["train", str(folder)]))
        raise BundleError(
            f"got {folder}, a folder of videos; wanted a bundle, or one video: `{line}`; "
            f"`{train} --dry_run` says what a model of these videos takes"
        )


def _first_video(folder: Path) -> Path | None:
    """The first video of a folder or of one just within, by its suffix; deeper down, a look may take long."""
    from .data.listing import VIDEO_SUFFIXES

    found = (path for pattern in ("[!.]*", "[!.]*/[!.]*") for path in sorted(folder.glob(pattern)))
    return next((path for path in found if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()), None)


def _reader_of(path: Path) -> Callable[[Path], Rows]:
    """By its first bytes."""
    regular_size(path)
    with path.open("rb") as file:
        head = file.read(32)
    if head.startswith(_TOKENS):
        return describe_tokens
    if path.name in NAMES and (path.parent / CONFIG).is_file():
        raise ValueError(f"{path} is one file of a bundle; wanted its folder: `framecast info {path.parent}`")
    if head.startswith(_CHECKPOINT):
        make = f"`framecast export {path} --out FOLDER`"
        raise ValueError(f"{path} is a checkpoint or an archive; wanted a bundle; make one of a checkpoint by {make}")
    return describe_snapshot if head[_HEADER_AT : _HEADER_AT + 1] == _SAFETENSORS else describe_video
