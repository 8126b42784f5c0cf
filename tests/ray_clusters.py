"""Replicas of the tiny generator on Ray, in a cluster of this machine."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tiny_bundle

from framecast.serve import Client, ServeConfig

REPO = Path(__file__).resolve().parents[1]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def running_on_ray(folder: Path, lasting: bool = False, **limits: Any) -> Iterator[tuple[Client, Any]]:
    """A client of the replicas, and their keeper; `lasting` keeps snapshots in a folder. Skips without Ray."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    pytest.importorskip("ray.serve", reason="Ray Serve is not installed: pip install '.[ray]'")
    from framecast.serve.cluster.ray import NAME, Recipe, running_cluster

    config = ServeConfig(port=free_port(), **limits)
    recipe = Recipe(tiny_bundle.save(folder / "bundle"), snapshots=folder / "snapshots" if lasting else None)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:  # short, since sockets lie in it
        patch.setenv("PYTHONPATH", str(REPO))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("HOME", home)  # nothing is written to the real one
        (Path(home) / "ray_bootstrap_config.yaml").touch()  # without it Ray asks the metadata services of clouds where it is
        options = {"num_cpus": 2, "object_store_memory": 200_000_000, "_temp_dir": home}
        with running_cluster(recipe, config, **options):
            yield Client(f"http://127.0.0.1:{config.port}"), ray.get_actor(NAME, namespace=NAME)
