"""`python -m benchmarks.failover`: what the death of a replica costs a viewer; needs the extra `ray`."""

import argparse
import asyncio
import itertools
import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import ray
from ray import serve

from framecast.progress import tracked
from framecast.sample import Frame, load_generator
from framecast.serve import Client, ServeConfig
from framecast.serve.client.remote import RemoteStream
from framecast.serve.cluster.ray import NAME, Recipe, running_cluster

from .report import write_json

PROMPTS = ("a large red circle moves right", "a small blue square moves up")
FRAMES_BEFORE, FRAMES_AFTER = 30, 60


def main() -> None:
    """Kills the replica that serves a stream, at another frame each time; prints medians and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", type=Path, default=None, help="a bundle's folder (default: the shipped model)")
    parser.add_argument("--kills", type=int, default=8, help="how often (default: 8)")
    parser.add_argument("--pace", choices=("video", "fast"), default="video", help="of the streams (default: video)")
    parser.add_argument("--snapshot_every", type=int, default=6, help="latent frames between snapshots (default: 6)")
    parser.add_argument("--port", type=int, default=8377, help="port to serve at (default: 8377)")
    parser.add_argument("--out", default="runs/failover.json", help="where the JSON goes")
    arguments = parser.parse_args()
    config, rows = ServeConfig(port=arguments.port, replicas=2, snapshot_every=arguments.snapshot_every), []
    with tempfile.TemporaryDirectory() as folder:
        with running_cluster(Recipe(arguments.bundle), config, num_cpus=2, object_store_memory=200_000_000, _temp_dir=folder):
            for kill in tracked(range(arguments.kills), "killing", unit="replicas"):
                until_whole(config.replicas)
                rows.append(asyncio.run(one_death(arguments, seed=kill, num_frames=FRAMES_BEFORE + 2 + 17 * kill)))
    generator = load_generator(arguments.bundle)
    for seed, row in enumerate(rows):
        row["same"] = row.pop("frames") == frames_of_library(generator, seed, row)
    write_json(Path(arguments.out), {"rows": rows})
    for name in ("first_frame", "connection", "recovery", "longest_wait"):
        values = [row[name] for row in rows]
        print(f"{name:14} median {statistics.median(values):.2f} s, {min(values):.2f} to {max(values):.2f}")
    print(f"{sum(row['same'] for row in rows)} of {len(rows)} streams are the library's, frame for frame")


async def one_death(arguments: argparse.Namespace, seed: int, num_frames: int) -> dict[str, Any]:
    """A stream whose prompt changes, and whose replica is killed some frames after that was confirmed."""
    client, keeper = Client(f"http://127.0.0.1:{arguments.port}"), ray.get_actor(NAME, namespace=NAME)
    began = time.monotonic()
    async with await client.stream(PROMPTS[0], seed, pace=arguments.pace) as stream:
        frames, times = [await anext(stream)], [time.monotonic()]
        while len(frames) < num_frames:
            if len(frames) == FRAMES_BEFORE:
                start = await stream.set_prompt(PROMPTS[1])
            frames.append(await anext(stream))
        name, _ = await keeper.home.remote(stream.session)
        os.kill(int(name.split(":")[1]), signal.SIGKILL)
        killed = time.monotonic()
        times.append(killed)
        watching, recovered = asyncio.create_task(until_recovered(stream)), None
        while len(frames) < num_frames + FRAMES_AFTER or recovered is None:
            frames.append(await anext(stream))
            times.append(time.monotonic())
            recovered = recovered or (times[-1] if stream.recoveries else None)
        waits = [later - earlier for earlier, later in itertools.pairwise(times[1:])]
        connected = await watching
    figures = {"first_frame": times[0] - began, "connection": connected - killed, "recovery": recovered - killed}
    figures["longest_wait"] = max(waits)
    return {**figures, "changed": start, "count": len(frames), "frames": [picture(frame) for frame in frames]}


async def until_recovered(stream: RemoteStream) -> float:
    """When the stream has found another replica."""
    while not stream.recoveries:
        await asyncio.sleep(0.002)
    return time.monotonic()


def frames_of_library(generator, seed: int, row: dict[str, Any]) -> list[bytes]:
    """The same stream, made in one piece by this process."""
    stream, frames = generator.stream(PROMPTS[0], seed), list[bytes]()
    while len(frames) < row["count"]:
        if not stream.pending and stream.next_index == row["changed"]:
            stream.set_prompt(PROMPTS[1])
        frames.append(picture(next(stream)))
    return frames


def picture(frame: Frame) -> bytes:
    """The pixels of a frame."""
    return frame.image.numpy().tobytes()


def until_whole(replicas: int, seconds: float = 120.0) -> None:
    """Waits until all replicas run, and know of each other."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        (deployment,) = serve.status().applications[NAME].deployments.values()
        if deployment.replica_states.get("RUNNING", 0) == replicas and len(deployment.replica_states) == 1:
            time.sleep(1)
            return
        time.sleep(0.2)
    raise TimeoutError(f"{replicas} replicas did not run within {seconds:g} s")


if __name__ == "__main__":
    main()
