"""R3: sizes are compared before they are believed; each is refused within a second and 256 MiB."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from framecast.data import TokenShards
from framecast.sample import load_bundle, read_tokens
from framecast.sample.bundle_files import DEFAULT

from .table import Attempt, Row, try_apart

_HOLES = 2**34
_HEADER = 256
_DATA = _HOLES - 8 - _HEADER


def rows(folder: Path) -> Iterator[Row]:
    """The table, row by row; `folder` is for the files."""
    yield try_apart(Row("bundles: sizes and kinds"), make_bundles(folder / "bundles", DEFAULT), ValueError)
    yield try_apart(Row("token files and shards: sizes and kinds"), make_files(folder / "files"), ValueError)


def make_bundles(folder: Path, sound: Path) -> Iterator[tuple[str, Attempt]]:
    """Bundles that are to be refused, made from a sound one; their manifests say what the files are."""
    folder.mkdir()
    for number, (what, change) in enumerate({**_CONFIGS, **_FILES}.items()):
        bundle = folder / str(number)
        shutil.copytree(sound, bundle)
        change(bundle)
        yield what, partial(_load, bundle)


def make_files(folder: Path) -> Iterator[tuple[str, Attempt]]:
    """Token files and folders of shards that are to be refused."""
    folder.mkdir()
    for kind in ("pipe", "device", "holes", "folder", "claim"):
        path = folder / f"{kind}.fct"
        _make_odd(path, kind)
        if kind == "holes":
            with path.open("r+b") as file:
                file.write(b"FRAMECAST TOKENS 1\n")
        yield f"a token file: {kind}", partial(read_tokens, path)
        shards = folder / f"{kind}_shards"
        shards.mkdir()
        _make_odd(shards / "index.json", kind)
        yield f"an index of shards: {kind}", partial(TokenShards, shards)
    for what, text in _INDEXES.items():
        shards = folder / what.replace(" ", "_")
        shards.mkdir()
        (shards / "index.json").write_text(text)
        yield f"an index of shards: {what}", partial(TokenShards, shards)


def _load(bundle: Path) -> object:
    return load_bundle(bundle).generator()


def _make_odd(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "holes":
        with path.open("wb") as file:
            file.truncate(_HOLES)
    else:
        path.write_bytes(b"FRAMECAST TOKENS 1\n" + (2**62).to_bytes(8, "little"))


def _write(bundle: Path, name: str, data: bytes) -> None:
    """A file, and a manifest that agrees with it."""
    (bundle / name).write_bytes(data)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def _config(*path: str, value: Any) -> Callable[[Path], None]:
    def change(bundle: Path) -> None:
        config = json.loads((bundle / "config.json").read_text())
        part = config
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = value
        _write(bundle, "config.json", json.dumps(config).encode())

    return change


def _text(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda bundle: _write(bundle, name, data)


def _replaced(name: str, kind: str, told: bool = False) -> Callable[[Path], None]:
    """A file that is a pipe, a device, holes; with `told`, the manifest says its size."""

    def change(bundle: Path) -> None:
        (bundle / name).unlink()
        _make_odd(bundle / name, kind)
        if told:
            manifest = json.loads((bundle / "manifest.json").read_text())
            manifest[name]["bytes"] = _HOLES
            (bundle / "manifest.json").write_text(json.dumps(manifest))

    return change


def _header(header: dict[str, Any], holes: bool = False) -> Callable[[Path], None]:
    """The weights of the LM with a header that lies."""

    def change(bundle: Path) -> None:
        text = json.dumps(header).encode().ljust(_HEADER)
        data = len(text).to_bytes(8, "little") + text
        _write(bundle, "lm.safetensors", data)
        if holes:
            with (bundle / "lm.safetensors").open("r+b") as file:
                file.truncate(_HOLES)
            manifest = json.loads((bundle / "manifest.json").read_text())
            manifest["lm.safetensors"]["bytes"] = _HOLES
            (bundle / "manifest.json").write_text(json.dumps(manifest))

    return change


def _without_lm(bundle: Path) -> None:
    """Layers without end, and no weights at all to compare them with."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    del manifest["lm.safetensors"]
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    _config("lm", "num_layers", value=10**6)(bundle)


_CONFIGS: dict[str, Callable[[Path], None]] = {
    "a width of 16384": _config("lm", "width", value=16384),
    "a width of 2**40": _config("lm", "width", value=2**40),
    "a million layers": _config("lm", "num_layers", value=10**6),
    "a million layers of the text encoder": _config("lm", "text_layers", value=10**6),
    "a million layers and no weights": _without_lm,
    "a feed-forward layer of 2**33": _config("lm", "mlp_width", value=2**33),
    "a billion texts": _config("lm", "text_vocab_size", value=10**9),
    "a prompt of a billion": _config("lm", "max_prompt_length", value=10**9),
    "a context of a billion frames": _config("lm", "context_frames", value=10**9),
    "a sink of a billion frames": _config("lm", "sink_frames", value=10**9),
    "latent frames of a billion tokens": _config("lm", "frame_shape", value=[2**15, 2**15]),
    "frames of a billion rows": _config("video", "height", value=8 * 10**9),
    "a tokenizer of 2**20 channels": _config("tokenizer", "config", "channels", value=[2**20, 2**20]),
    "a tokenizer of a million blocks": _config("tokenizer", "config", "num_blocks", value=[10**6, 10**6]),
    "a million stages": _config("tokenizer", "config", "num_blocks", value=[1] * 100_000),
    "a patch of 2**20 pixels": _config("tokenizer", "config", "patch_size", value=2**20),
    "a codebook of 2**40": _config("tokenizer", "quantizer", value={"name": "VQ", "options": {"codebook_size": 2**40, "dim": 8}}),
    "a codebook of a billion": _config("tokenizer", "quantizer", value={"name": "SimVQ", "options": {"codebook_size": 10**9}}),
    "a billion rounds": _config("tokenizer", "quantizer", value={"name": "ResidualVQ", "options": {"num_quantizers": 10**9}}),
    "more levels than there are numbers": _config("tokenizer", "quantizer", "options", "levels", value=[8] * 100_000),
    "a config nested without end": _text("config.json", b"[" * 4_000_000),
    "a config of 10 MB": _text("config.json", b'{"a": "' + b"x" * 10_000_000 + b'"}'),
    "a config that names one thing twice": _text("config.json", b'{"format": 1, "format": 1}'),
    "a number of 100,000 digits": _text("config.json", b'{"format": ' + b"1" * 100_000 + b"}"),
    "a text model of 100 MB": _text("text.model", bytes(100_000_000)),
    "a header of an endless shape": _header({"weight": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 0]}}),
    "a header longer than its file": _text("lm.safetensors", (2**62).to_bytes(8, "little") + b"{}"),
    "a header nested without end": _text("lm.safetensors", (10**6).to_bytes(8, "little") + b"[" * 10**6),
    "a header and 16 GiB of holes": _header(
        {"w": {"dtype": "U8", "shape": [_HOLES - 200], "data_offsets": [0, _HOLES - 200]}}, True
    ),
}
_FILES: dict[str, Callable[[Path], None]] = {
    f"{name} is {kind}": _replaced(name, kind)
    for name in ("config.json", "manifest.json", "tokenizer.safetensors", "lm.safetensors", "text.model", "README.md")
    for kind in ("pipe", "device", "folder", "holes")
}
_FILES["weights of 16 GiB of holes, as the manifest says"] = _replaced("lm.safetensors", "holes", told=True)
_INDEXES = {
    "nested": "[" * 1_000_000,
    "no shards": '{"format": 1, "complete": true, "clips_per_shard": 1, "clip_shape": null, "meta": {}, "shards": []}',
    "negative": '{"format": 1, "complete": true, "clips_per_shard": -1, "clip_shape": [1, 1, 1], "meta": {}, "shards": []}',
    "outside": '{"format": 1, "complete": true, "clips_per_shard": 1, "clip_shape": [1, 1, 1], "meta": {}, "shards": '
    '[{"file": "../x", "num_clips": 1, "num_bytes": 1, "sha256": "0"}]}',
    "text": '{"format": 1, "complete": true, "clips_per_shard": 1, "clip_shape": [1, 1, 1], "meta": {}, "shards": "x"}',
}
