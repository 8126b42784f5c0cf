"""Damage to bundles, with manifests that vouch for it, and what loading says of it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load, save

from framecast.sample import BundleError, load_bundle


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def replace(folder: Path, name: str, data: bytes) -> None:
    """Puts other bytes into a bundle, with a manifest that vouches for them: damage that hashes do not see."""
    (folder / name).write_bytes(data)
    change_manifest(folder, lambda m: m[name].update(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data)))


def change_manifest(folder: Path, change: Callable[[dict], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def change_config(folder: Path, change: Callable[[dict], object]) -> None:
    config = json.loads((folder / "config.json").read_bytes())
    change(config)
    replace(folder, "config.json", json.dumps(config).encode())


def change_weights(folder: Path, name: str, change: Callable[[dict], object]) -> None:
    weights = load((folder / name).read_bytes())
    change(weights)
    replace(folder, name, save(weights))


def assert_refused(folder: Path, *words: str) -> None:
    with pytest.raises(BundleError) as caught:
        load_bundle(folder).generator()
    for word in (str(folder), *words):
        assert word in str(caught.value), (word, str(caught.value))
