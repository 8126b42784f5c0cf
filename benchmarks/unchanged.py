"""Whether a change of the code left all that is made as it was, to the last bit.

`python -m benchmarks.unchanged record FOLDER` before the change, `python -m benchmarks.unchanged compare FOLDER` after it, on the
same machine: floating point differs between processors. It makes clips, streams, batches, snapshots, token files, training
steps and a conversation with a server, and keeps a sha256 of each.
"""

import argparse
import asyncio
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from websockets.asyncio.client import connect

from framecast.data import SpriteWorld, encode_webp, write_video
from framecast.progress import Task
from framecast.sample import SamplingParams, Stream, StreamBatch, VideoGenerator, load_generator, read_tokens, save_bundle

from .recipes import lm_training

PROMPTS = ("a large red circle moves right", "a small blue square moves up; at 1s it stops")
KINDS = (SamplingParams(decoding="token", guidance_scale=1.0), SamplingParams(), SamplingParams(decoding="frame", top_k=20))
JACOBI = SamplingParams(decoding="jacobi", temperature=0.7, top_p=0.9)
BLOCK = SamplingParams(decoding=16, guidance_scale=3.5)
_RANDOM = re.compile(r'"(session|branches|video)":\s*(\[[^]]*\]|"[^"]*")')


def main(words: list[str] | None = None) -> None:
    """Records, or compares and fails if something differs."""
    parser = argparse.ArgumentParser(prog="benchmarks.unchanged", description=__doc__)
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=sorted(SECTIONS), default=sorted(SECTIONS))
    arguments = parser.parse_args(words)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    file = arguments.folder / "hashes.json"
    before: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    now: dict[str, str] = {}
    for section in arguments.only:
        with Task(section):
            now |= {f"{section}/{name}": value for name, value in SECTIONS[section](arguments.folder).items()}
        print(f"{section}: done", flush=True)
    if arguments.what == "record":
        file.write_text(json.dumps({**before, **now}, indent=2, sort_keys=True))
        return
    kept = {name: value for name, value in before.items() if name.split("/")[0] in arguments.only}
    changed = sorted(name for name in kept.keys() | now.keys() if kept.get(name) != now.get(name))
    print(f"{len(now) - len(changed)} of {len(now)} things are what they were; changed: {', '.join(changed) or 'nothing'}")
    sys.exit(1 if changed else 0)


def digest(value: Any) -> str:
    """sha256 of a tensor, of bytes, or of what JSON makes of the value."""
    if isinstance(value, Tensor):
        value = (
            f"{value.dtype} {list(value.shape)}".encode()
            + value.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().tobytes()
        )
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return hashlib.sha256(data).hexdigest()


def frames_of(stream: Stream, count: int) -> Tensor:
    """The next frames of a stream, uint8 `[count, H, W, 3]`."""
    return torch.stack([next(stream).image for _ in range(count)])


def clips(_: Path) -> dict[str, str]:
    """Clips by every decoding, side by side, and clips that go on from frames."""
    generator, made = load_generator(), {}
    for params in (*KINDS, JACOBI, BLOCK):
        clip = generator.generate(PROMPTS[0], 9, seed=5, params=params)
        made[f"{params.decoding}"] = digest(clip.tokens) + digest(clip.frames)
    many = generator.generate([*PROMPTS, PROMPTS[0]], 13, seed=6)
    made["side by side"] = " ".join(digest(clip.tokens) + digest(clip.frames) for clip in many)
    first = SpriteWorld(num_frames=9, size=generator.height)[3].frames
    made["encoded"] = digest(generator.encode(first))
    made["continued"] = digest(generator.generate(PROMPTS[0], 21, seed=7, first_frames=first).frames)
    made["webp"] = digest(encode_webp(first, 8.0))
    return made


def streams(_: Path) -> dict[str, str]:
    """Prompts that change, settings that change, branches, renewed sinks, past the window."""
    generator = load_generator()
    stream, made = generator.stream(PROMPTS[1], 11), {}
    made["timeline"] = digest(frames_of(stream, 21))
    stream.set_prompt("it moves left")
    stream.params = SamplingParams(temperature=0.5, decoding="frame")
    made["steered"] = digest(frames_of(stream, 18)) + digest([list(prompt) for prompt in stream.prompts])
    made["branches"] = " ".join(digest(frames_of(branch, 10)) for branch in stream.branch([1, 11]))
    made["after branches"] = digest(frames_of(stream, 60))
    renewed = generator.stream(PROMPTS[0], 2, SamplingParams(decoding="frame"), reanchor_every=3)
    made["renewed"] = digest(frames_of(renewed, 81))
    return made


def batches(_: Path) -> dict[str, str]:
    """Streams of several kinds side by side, which join, are steered, and leave."""
    generator = load_generator()
    batch = StreamBatch(generator, 4)
    running = [generator.stream(PROMPTS[i % 2], i, params) for i, params in enumerate(KINDS)]
    batch.join(*running)
    batch.step()
    batch.step()
    running[1].set_prompt("a green triangle moves down")
    late = generator.stream(PROMPTS[0], 9, BLOCK, reanchor_every=2)
    batch.join(late)
    batch.step()
    batch.leave(running[0])
    batch.step()
    made = {f"{i}": digest(frames_of(stream, 9)) + digest(stream.tokens) for i, stream in enumerate([*running, late])}
    return {**made, "forwards": f"{batch.forwards}"}


def snapshots(folder: Path) -> dict[str, str]:
    """What goes on from snapshots that were made when recording, and from those made now."""
    generator, made = load_generator(), dict[str, str]()
    for name, stream, count in _snapshot_cases(generator):
        for _ in range(count):
            next(stream)
        file = folder / f"{name}.snapshot"
        if not file.exists():
            file.write_bytes(stream.snapshot())
        for data in (file.read_bytes(), stream.snapshot()):
            again = generator.restore(data)
            made[name] = made.get(name, "") + digest(frames_of(again, 12)) + digest(again.tokens) + digest(again.next_index)
        assert digest(frames_of(stream, 12)) in made[name]
    return made


def _snapshot_cases(generator: VideoGenerator) -> list[tuple[str, Stream, int]]:
    return [
        ("plain", generator.stream(PROMPTS[0], 3), 7),
        ("unguided", generator.stream(PROMPTS[1], 4, KINDS[0]), 6),
        ("fresh", generator.stream(PROMPTS[1], 5), 0),
        ("renewed", generator.stream(PROMPTS[0], 6, reanchor_every=2), 58),
    ]


def files(folder: Path) -> dict[str, str]:
    """Token files, videos and bundles, byte for byte."""
    generator, made = load_generator(), {}
    with tempfile.TemporaryDirectory() as place:
        stream = generator.stream(PROMPTS[1], 21)
        frames_of(stream, 6)
        stream.record(Path(place, "a.fct"))
        stream.set_prompt("a red circle stops")
        images = frames_of(stream, 11)
        stream.close()
        made["token file"] = digest(Path(place, "a.fct").read_bytes())
        made["read"] = digest(read_tokens(Path(place, "a.fct")).tokens)
        for suffix in (".png", ".mkv", ".gif", ".webp", ".mp4"):
            write_video(Path(place, f"a{suffix}"), images, 8.0)
            made[suffix] = digest(Path(place, f"a{suffix}").read_bytes())
        save_bundle(Path(place, "bundle"), generator.tokenizer, generator.lm, generator.text_tokenizer, video=_size(generator))
        made |= {f.name: digest(f.read_bytes()) for f in sorted(Path(place, "bundle").iterdir()) if f.suffix == ".safetensors"}
    return made


def _size(generator: VideoGenerator) -> dict[str, float]:
    return {"height": generator.height, "width": generator.width, "fps": generator.fps}


def learning(_: Path) -> dict[str, str]:
    """Clips of the sprite world, and the loss and gradients of a step of training on tokens."""
    world = SpriteWorld(num_frames=17, size=32)
    made = {f"clip {i}": digest(world[i].frames) + digest([list(map(str, c)) for c in _captions(world[i])]) for i in (0, 7, 4999)}
    torch.manual_seed(0)
    module, batch = lm_training("speedrun_lm")
    loss: Any = module.training_step(batch, 0)
    loss.backward()
    grads = [p.grad for p in module.parameters() if p.grad is not None]
    return {**made, "loss": digest(loss.detach()), "gradients": " ".join(digest(g) for g in grads)}


def _captions(clip: Any) -> list[tuple[int, str]]:
    return [(caption.start, caption.text) for caption in clip.captions]


def server(_: Path) -> dict[str, str]:
    """A conversation with `framecast serve`: every message and every frame."""
    command = [sys.executable, "-m", "framecast", "serve", "--port", "0", "--slots", "2"]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stderr=log, stdout=log) as process,
    ):
        try:
            return asyncio.run(_converse(_address(process, log)))
        finally:
            process.terminate()


def _address(process: "subprocess.Popen[bytes]", log: Any) -> str:
    while process.poll() is None:
        log.seek(0)
        found = re.search(r"at http://(\S+) for", log.read())
        if found:
            return found[1]
    raise RuntimeError("the server did not start")


async def _converse(address: str) -> dict[str, str]:
    made: dict[str, str] = {}
    async with connect(f"ws://{address}/v1/stream", proxy=None, compression=None, max_size=2**26) as socket:
        heard: list[str] = [_plain(await socket.recv())]

        async def ask(until: Callable[[str], bool], **message: Any) -> None:
            await socket.send(json.dumps(message))
            while True:
                heard.append(_plain(await socket.recv()))
                if until(heard[-1]):
                    return

        def is_type(kind: str) -> Callable[[str], bool]:
            return lambda text: f'"type":"{kind}"' in text

        def is_frame(index: int) -> Callable[[str], bool]:
            return lambda text: text.startswith(f"frame {index} ")

        for form in ("png", "webp", "jpeg", "h264"):
            scene = {"prompt": PROMPTS[1], "seed": 8, "format": form, "pace": "fast", "credits": 24, "max_frames": 24, "id": 1}
            await ask(is_type("ended"), type="start", **scene)
        await ask(is_frame(4), type="start", prompt=PROMPTS[0], seed=3, pace="fast", credits=5, max_frames=33, id=2)
        await ask(is_type("prompted"), type="prompt", prompt="it stops", id=3)
        await ask(is_type("error"), type="prompt", prompt="", id=4)
        await ask(is_type("error"), type="attach", branch="none", id=5)
        await ask(is_type("paused"), type="pause", id=6)
        await ask(is_type("error"), type="pause", id=7)
        await ask(is_type("resumed"), type="resume", id=8)
        await ask(is_type("branched"), type="branch", seeds=[1, 2], id=10)
        await ask(is_type("stopped"), type="stop", id=11)
        made |= {f"message {i:03}": text for i, text in enumerate(heard)}
    made["http"] = await asyncio.to_thread(_http, address)
    return made


def _http(address: str) -> str:
    import httpx

    with httpx.Client(base_url=f"http://{address}", timeout=60) as http:
        said = [http.get(path) for path in ("/healthz", "/v1/info", "/v1/schema.json", "/openapi.json")]
        scene = {"prompt": PROMPTS[0], "seed": 4, "num_frames": 13}
        said += [
            http.post("/v1/videos/sync", json={**scene, "format": form}) for form in ("mp4", "mkv", "webp", "png", "gif", "fct")
        ]
        said += [http.post("/v1/videos/sync", json={**scene, "num_frames": 12}), http.get("/v1/streams/none/video.mp4")]
        return " ".join(f"{reply.status_code}:{reply.headers.get('content-type')}:{digest(reply.content)[:16]}" for reply in said)


def _plain(message: str | bytes) -> str:
    """A message without the names that are random, or what a frame is and its hash."""
    if isinstance(message, bytes):
        index = int.from_bytes(message[4:8], "little")
        return f"frame {index} {digest(message)}"
    return _RANDOM.sub(lambda found: f'"{found[1]}":"..."', message)


SECTIONS: dict[str, Callable[[Path], dict[str, str]]] = {
    "batches": batches,
    "clips": clips,
    "files": files,
    "learning": learning,
    "server": server,
    "snapshots": snapshots,
    "streams": streams,
}

if __name__ == "__main__":
    main()
