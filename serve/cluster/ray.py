"""Servers on more than one machine: a Ray Serve deployment whose replicas share a keeper of snapshots."""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import torch
from fastapi import FastAPI
from ray import serve
from ray.actor import ActorHandle
from ray.exceptions import RayError
from ray.serve.handle import DeploymentHandle

from ...sample import VideoGenerator, load_generator
from ..engine.engine import load_apart
from ..server.app import create_app
from ..server.config import ServeConfig
from ..server.folder_store import FolderStore
from ..server.service import Service
from ..server.store import SnapshotStore
from .keeper import ClusterStore, Keeper, LastingStore, Line
from .neighbours import Neighbours

NAME = "framecast"
"""Of the application, of its keeper and of their namespace."""

_CALL_SECONDS = 15.0  # more than the keeper itself waits for an answer
_WATCHERS = 256  # requests of a replica beside its streams: those who watch, and those who only ask
_DRAIN_SECONDS = 5.0
_FULL, _GROW_SECONDS, _SHRINK_SECONDS = 0.7, 5.0, 300.0
"""The share of its places that a replica is to have taken; how long more or less must last before there are more or fewer."""
_HEAD = "node:__internal_head__"  # a resource that the head node alone has


@dataclass(frozen=True)
class Recipe:
    """How a replica gets its generator.

    Attributes:
        bundle: A bundle's folder, the same path on all machines; `None` is the shipped model.
        device: Where to compute.
        dtype: Precision of the video LM.
        num_cpus: CPU cores of a replica.
        snapshots: A folder that all machines share, in which snapshots of streams outlive the keeper; `None` leaves them to it.
    """

    bundle: Path | None = None
    device: str = "cpu"
    dtype: str = "float32"
    num_cpus: float = 1
    snapshots: Path | None = None

    def load(self) -> VideoGenerator:
        """The generator."""
        return load_apart(lambda: load_generator(self.bundle, torch.device(self.device), getattr(torch, self.dtype)))

    def store(self, line: Line) -> SnapshotStore:
        """Where snapshots of streams are kept."""
        return ClusterStore(line) if self.snapshots is None else LastingStore(FolderStore(self.snapshots), line)

    def needs(self) -> dict[str, float]:
        """What Ray has to set aside for a replica."""
        return {"num_cpus": self.num_cpus, "num_gpus": 1 if self.device.startswith("cuda") else 0}


def ray_line(keeper: ActorHandle) -> Line:
    """The line to a keeper that is an actor."""

    async def call(method: str, *arguments: Any) -> Any:
        try:
            return await asyncio.wait_for(getattr(keeper, method).remote(*arguments), _CALL_SECONDS)
        except (RayError, TimeoutError) as error:
            raise ConnectionError(f"no answer to {method}: {type(error).__name__}") from error

    return call


def start_keeper() -> ActorHandle:
    """The keeper of this cluster, which lies beside Ray's own head: only one machine must not be lost."""
    options = {"name": NAME, "namespace": NAME, "lifetime": "detached", "get_if_exists": True}
    return ray.remote(Keeper).options(**options, num_cpus=0, resources={_HEAD: 0.001}, max_restarts=-1).remote()


def replica_name() -> str:
    """The name of this process in the cluster: its machine's address, its number there, and a random part."""
    return f"{ray.util.get_node_ip_address()}:{os.getpid()}:{secrets.token_hex(4)}"


def make_application(recipe: Recipe, config: ServeConfig, keeper: ActorHandle) -> serve.Application:
    """The application: `config.replicas` servers, each with a generator of its own."""

    def build() -> FastAPI:
        line = ray_line(keeper)
        service = Service(recipe.load(), config, recipe.store(line), replica_name())
        neighbours = Neighbours(service, line)
        service.others = neighbours
        app = create_app(service, neighbours.run)
        app.state.service = service
        return app

    class Replica:
        """A server of the cluster; `app` is set by Ray."""

        app: FastAPI

        async def check_health(self) -> None:
            """Asks Ray for another replica if the engine has died."""
            service = self.app.state.service
            if not (service.engine.is_alive or service.draining):
                raise RuntimeError("the engine's thread has died")

    deployment = serve.deployment(
        name="Replica",
        **_numbers(config),
        max_ongoing_requests=config.capacity + _WATCHERS,
        ray_actor_options=recipe.needs(),
        health_check_period_s=2,
        graceful_shutdown_timeout_s=_DRAIN_SECONDS,
        graceful_shutdown_wait_loop_s=0.5,
    )
    return deployment(serve.ingress(build)(Replica)).bind()


def _numbers(config: ServeConfig) -> dict[str, Any]:
    """How many replicas Ray starts: a fixed number, or as many as the sessions want, each of which is a request that goes on."""
    if config.max_replicas is None:
        return {"num_replicas": config.replicas}
    scaling = {
        "min_replicas": config.replicas,
        "max_replicas": config.max_replicas,
        "target_ongoing_requests": _FULL * config.capacity,
        "upscale_delay_s": _GROW_SECONDS,
        "downscale_delay_s": _SHRINK_SECONDS,
    }
    return {"autoscaling_config": scaling}


@contextmanager
def running_cluster(
    recipe: Recipe, config: ServeConfig, address: str | None = None, **options: Any
) -> Iterator[DeploymentHandle]:
    """Serves at `config.host` and `config.port` of each machine with a replica, within a cluster or in one of its own.

    Args:
        recipe: How replicas get their generators.
        config: The limits of each replica, and their number.
        address: Of the cluster to join; `None` starts one on this machine, and ends it afterwards.
        options: Of `ray.init`.

    Raises:
        ValueError: The port is 0 or taken, the cluster cannot be joined, or its replicas do not start.
    """
    if config.port == 0:
        raise ValueError("got port 0 for more than one replica; wanted a number, the same on all machines; choose --port")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_USAGE_STATS_REPORT_URL", "http://127.0.0.1:9/")  # Ray would report even that they are off
    _connect(address, options)
    keeper = None
    try:
        _listen(config)
        keeper = start_keeper()
        yield _run(make_application(recipe, config, keeper), config)
    finally:
        if keeper is not None:
            _leave(keeper, address)
        ray.shutdown()


def run_cluster(recipe: Recipe, config: ServeConfig, address: str | None = None) -> None:
    """Serves until SIGINT or SIGTERM.

    Raises:
        ValueError: As `running_cluster`, or the bundle cannot be loaded.
    """
    name = load_generator(recipe.bundle).name
    try:
        with running_cluster(recipe, config, address):
            print(
                f"serving {name} at http://{config.host}:{config.port} by {_spoken(config)} replicas for {config.capacity} "
                "sessions each; Ctrl-C ends",
                file=sys.stderr,
            )
            while True:
                time.sleep(1)
    except KeyboardInterrupt:
        pass


def _spoken(config: ServeConfig) -> str:
    return f"{config.replicas}" if config.max_replicas is None else f"{config.replicas} to {config.max_replicas}"


def _connect(address: str | None, options: dict[str, Any]) -> None:
    local = {} if address else {"include_dashboard": False}
    try:
        ray.init(address=address or "local", namespace=NAME, log_to_driver=False, **{**local, **options})
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ValueError(f"cannot join the Ray cluster {address} ({error}); start one with `ray start --head`") from error


def _leave(keeper: ActorHandle, address: str | None) -> None:
    """Ends the application; in a cluster that goes on also Ray Serve, unless others use it."""
    serve.delete(NAME)
    ray.kill(keeper)
    if address is not None and not serve.status().applications:
        serve.shutdown()


def _listen(config: ServeConfig) -> None:
    try:
        serve.start(proxy_location="EveryNode", http_options={"host": config.host, "port": config.port})
    except (RuntimeError, RayError) as error:
        raise ValueError(
            f"cannot serve at {config.host}:{config.port} ({_last_line(error)}); is the port taken? choose another --port"
        ) from error


def _last_line(error: Exception) -> str:
    """What Ray says at the end of a report from another process."""
    return str(error).strip().splitlines()[-1]


def _run(application: serve.Application, config: ServeConfig) -> DeploymentHandle:
    try:
        return serve.run(application, name=NAME, route_prefix="/")
    except (RuntimeError, RayError) as error:
        message = f"{config.replicas} replicas did not start ({_last_line(error)}); is there room for them in the cluster?"
        raise ValueError(message) from error
