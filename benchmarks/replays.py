"""`python -m benchmarks.replays`: is a game of a world the same again, in eight settings and five ways (W4)?

A game is played under random keys. It is made again in a batch beside a neighbour that comes and goes, after a snapshot in
another process, and by `framecast replay` of its token file. A game that a server made is made again here by the actions it says.
"""

import argparse
import asyncio
import itertools
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from framecast.sample import Frame, Stream, StreamBatch, VideoGenerator, load_generator
from framecast.serve import Client

from .play import server
from .report import say, write_json

DECODINGS, THREADS = ("token", "row", "frame", "jacobi"), (1, 2)
_RESTORED = """
import sys, torch
from framecast.sample import load_generator
torch.set_num_threads(int(sys.argv[4]))
stream = load_generator(sys.argv[1]).restore(open(sys.argv[2], "rb").read())
for keys in sys.argv[5:]:
    stream.step(keys)
torch.save(stream.tokens, sys.argv[3])
"""


def main() -> None:
    """Prints a table and writes JSON; the exit status is 1 if anything is not the same, or not told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", default="world", help="a world's folder (default: the shipped world)")
    parser.add_argument("--frames", type=int, default=40, help="latent frames of a game (default: 40)")
    parser.add_argument("--out", default="runs/replays", help="where the JSON goes, without a suffix")
    arguments = parser.parse_args()
    generator = load_generator(arguments.bundle)
    names = [*(button.name for button in generator.stepper.known_space().buttons), ""]
    chance = random.Random(0)
    keys = list(itertools.chain.from_iterable([chance.choice(names)] * 5 for _ in range(arguments.frames // 5)))
    rows = {}
    with tempfile.TemporaryDirectory() as folder, server(arguments.bundle) as address:
        for decoding, threads in itertools.product(DECODINGS, THREADS):
            torch.set_num_threads(threads)
            place = Path(folder) / f"{decoding}-{threads}"
            rows[f"{decoding}, {threads} threads"] = setting(generator, arguments.bundle, keys, decoding, place, address)
            say(f"{decoding}, {threads} threads: {rows[f'{decoding}, {threads} threads']}")
    write_json(Path(arguments.out).with_suffix(".json"), rows)
    same = sum(all(row.values()) for row in rows.values())
    say(f"{same} of {len(rows)} settings are the same in all {len(next(iter(rows.values())))} ways")
    sys.exit(same != len(rows))


def setting(generator: VideoGenerator, bundle: str, keys: list[str], decoding: str, place: Path, address: str) -> dict[str, bool]:
    """Whether a game is the same in each place."""
    tokens = game(generator, keys, decoding, place.with_suffix(".fct"))
    return {
        "again": torch.equal(tokens, game(generator, keys, decoding)),
        "in a batch": torch.equal(tokens, in_company(generator, keys, decoding)),
        "after a snapshot, in another process": torch.equal(tokens, elsewhere(generator, bundle, keys, decoding, place)),
        "framecast replay": replays(bundle, place.with_suffix(".fct")),
        "through a server": asyncio.run(served(generator, address, keys, decoding)),
    }


def game(generator: VideoGenerator, keys: list[str], decoding: str, file: Path | None = None) -> torch.Tensor:
    """The tokens of a game."""
    stream = generator.stream(seed=7, start=0, decoding=decoding)
    if file is not None:
        stream.record(file)
    for held in keys:
        stream.step(held)
    tokens = made(stream)
    stream.close()
    return tokens


def in_company(generator: VideoGenerator, keys: list[str], decoding: str) -> torch.Tensor:
    """The same beside a neighbour that joins late and leaves early."""
    stream, other = (generator.stream(seed=seed, start=seed - 7, decoding=decoding) for seed in (7, 8))
    batch = StreamBatch(generator, slots=2, guided=stream.guided)
    batch.join(stream)
    for place, held in enumerate(keys):
        if place == len(keys) // 3:
            batch.join(other)
        if place == 2 * len(keys) // 3:
            batch.leave(other)
        stream.step(held)
    return made(stream)


def elsewhere(generator: VideoGenerator, bundle: str, keys: list[str], decoding: str, place: Path) -> torch.Tensor:
    """The same, its second half made by another process."""
    stream, half = generator.stream(seed=7, start=0, decoding=decoding), len(keys) // 2
    for held in keys[:half]:
        stream.step(held)
    snapshot, out = place.with_suffix(".snapshot"), place.with_suffix(".pt")
    snapshot.write_bytes(stream.snapshot())
    given = [bundle, str(snapshot), str(out), str(torch.get_num_threads()), *keys[half:]]
    subprocess.run([sys.executable, "-c", _RESTORED, *given], check=True)
    return torch.load(out, weights_only=True)


def made(stream: Stream) -> torch.Tensor:
    """All its tokens."""
    assert stream.tokens is not None, "it has made some"
    return stream.tokens


def replays(bundle: str, file: Path) -> bool:
    """Whether the command finds every token the same."""
    command = [sys.executable, "-m", "framecast", "replay", str(file), "--bundle", bundle]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def served(generator: VideoGenerator, address: str, keys: list[str], decoding: str) -> bool:
    """Whether a game that a server makes, told its keys while it runs, is that of the library under the actions it says."""
    frames: list[Frame] = []
    start = generator.starts[0].name
    async with await Client(address).stream(None, seed=7, params={"decoding": decoding}, start=start, format="webp") as remote:
        async for frame in remote:
            frames.append(frame)
            if len(frames) == len(keys):
                break
            if len(frames) % 5 == 0:
                await remote.act(keys[len(frames)])
    ours = generator.stream(seed=7, start=0, decoding=decoding)
    made = [image for frame in frames for image in (one.image for one in ours.step(frame.action))]
    return all(torch.equal(torch.as_tensor(frame.image), image) for frame, image in zip(frames, made, strict=True))


if __name__ == "__main__":
    main()
