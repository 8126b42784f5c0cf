"""R2: inputs that are a little wrong, to every reader: no crash, no hang, and only the errors that a reader declares."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from framecast.model import VideoLM, VideoLMConfig
from framecast.sample import (
    BundleError,
    SamplingParams,
    SnapshotError,
    TokenFileError,
    TokenWriter,
    VideoGenerator,
    load_bundle,
    read_tokens,
    save_bundle,
)
from framecast.sample.packing import pack, unpack
from framecast.sample.token_header import describe_tokens
from framecast.serve.protocol.errors import ServeError
from framecast.serve.protocol.messages import parse_reply, parse_request
from framecast.serve.protocol.packets import Kind, Packet
from framecast.tokenizer import FSQ, TextTokenizer, VideoTokenizer, VideoTokenizerConfig

from .mutation import mutate_bytes, mutate_tensors, mutate_values
from .table import Attempt, Row, try_here

_MAGIC_BYTES, _LENGTH_BYTES = 19, 8
_SIZE = {"height": 16, "width": 24}
_REQUESTS: tuple[dict[str, Any], ...] = (
    {"type": "start", "prompt": "a red circle", "seed": 1, "settings": {"temperature": 0.5, "top_k": 3}, "credits": 3},
    {"type": "start", "timeline": [[0, "a ring"], [2.5, "a ring stops"]], "max_frames": 9, "format": "webp"},
    {"type": "prompt", "text": "a blue square", "id": 3},
    {"type": "credit", "frames": 5},
    {"type": "branch", "id": 1},
)
_REPLIES: tuple[dict[str, Any], ...] = (
    {"type": "error", "code": "bad_json", "message": "no", "fatal": False},
    {"type": "ended", "frames": 9},
)


def rows(folder: Path, scale: float = 1.0) -> Iterator[Row]:
    """The table, row by row; `scale` 1 is some 100,000 inputs."""
    generator = _generator()
    rng = random.Random(0)
    bundle = _save(folder / "bundle", generator)
    yield try_here(Row("bundles"), _bundles(bundle, rng, int(4_000 * scale)), BundleError, accepted=True)
    tokens = _write_tokens(folder / "tokens.fct", generator)
    yield try_here(Row("token files"), _token_files(tokens, rng, int(40_000 * scale)), TokenFileError, accepted=True)
    yield try_here(Row("snapshots"), _snapshots(generator, rng, int(20_000 * scale)), SnapshotError, accepted=True)
    for what, texts, parse in (("requests", _REQUESTS, parse_request), ("replies", _REPLIES, parse_reply)):
        row = Row(f"messages to the {'server' if parse is parse_request else 'client'}: {what}")
        yield try_here(row, _messages(texts, parse, rng, int(15_000 * scale)), ServeError, accepted=True)
    yield try_here(Row("frames of the protocol"), _packets(rng, int(10_000 * scale)), ServeError, accepted=True)


def _generator() -> VideoGenerator:
    """Tiny networks of random weights."""
    torch.manual_seed(0)
    tokenizer = VideoTokenizer(
        VideoTokenizerConfig(patch_size=4, channels=(8, 8), num_blocks=(1, 1), time_strides=(4,)), FSQ((3, 4, 5))
    )
    text = TextTokenizer.train(["a red circle moves right", "a blue square moves up"], vocab_size=300)
    config = VideoLMConfig(
        width=16,
        num_layers=1,
        num_heads=2,
        num_kv_heads=1,
        mlp_width=16,
        cross_every=1,
        text_width=8,
        text_layers=1,
        max_prompt_length=16,
        context_frames=2,
        codebook_size=60,
        frame_shape=(2, 3),
        text_vocab_size=text.vocab_size,
    )
    return VideoGenerator(tokenizer.eval(), VideoLM(config).eval(), text, 16, 24, 12.0)


def _save(folder: Path, generator: VideoGenerator) -> Path:
    video = {**_SIZE, "fps": 12.0}
    return save_bundle(folder, generator.tokenizer, generator.lm, generator.text_tokenizer, video=video, training={"steps": 7})


def _bundles(folder: Path, rng: random.Random, count: int) -> Iterator[tuple[str, Attempt]]:
    """One file of a bundle at a time; the manifest mostly agrees with it, so that the readers behind the hashes are reached."""
    sound = {file.name: file.read_bytes() for file in folder.iterdir()}
    for number in range(count):
        name = rng.choice(sorted(sound))
        data = _mutate_json(sound[name], rng) if name.endswith(".json") and rng.random() < 0.8 else mutate_bytes(sound[name], rng)
        (folder / name).write_bytes(data)
        if name != "manifest.json" and rng.random() < 0.9:
            manifest = json.loads(sound["manifest.json"])
            manifest[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            (folder / "manifest.json").write_text(json.dumps(manifest))
        yield f"{name} {number}", lambda: load_bundle(folder).generator()
        for changed in {name, "manifest.json"}:
            (folder / changed).write_bytes(sound[changed])


def _write_tokens(path: Path, generator: VideoGenerator) -> bytes:
    with TokenWriter(path, describe_tokens(generator.tokenizer, "tiny", (16, 24), 12.0, 0, SamplingParams())) as writer:
        for start in range(3):
            writer.append(torch.arange(6 * start, 6 * start + 6).view(1, 2, 3), f"a ring {start // 2}")
    return path.read_bytes()


def _token_files(sound: bytes, rng: random.Random, count: int) -> Iterator[tuple[str, Attempt]]:
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"framecast_{rng.getrandbits(60):x}.fct"
    try:
        for number in range(count):
            data = mutate_bytes(sound, rng) if number % 2 else _repack_record(sound, rng)
            path.write_bytes(data)
            yield str(number), lambda: read_tokens(path).check(read_tokens(path).header)
    finally:
        path.unlink(missing_ok=True)


def _repack_record(sound: bytes, rng: random.Random) -> bytes:
    """One record with other content and a right checksum."""
    records, place = [], _MAGIC_BYTES
    while place < len(sound):
        length = int.from_bytes(sound[place : place + _LENGTH_BYTES], "little")
        records.append(sound[place + _LENGTH_BYTES : place + _LENGTH_BYTES + length])
        place += _LENGTH_BYTES + length
    chosen = rng.randrange(len(records))
    records[chosen] = _repack(records[chosen], rng)
    return sound[:_MAGIC_BYTES] + b"".join(len(record).to_bytes(_LENGTH_BYTES, "little") + record for record in records)


def _repack(data: bytes, rng: random.Random) -> bytes:
    tensors, values = unpack(data)
    if rng.random() < 0.5:
        return pack(mutate_tensors(tensors, rng), values)
    changed = mutate_values(values, rng)
    return pack(tensors, changed if isinstance(changed, dict) else {"changed": changed})


def _snapshots(generator: VideoGenerator, rng: random.Random, count: int) -> Iterator[tuple[str, Attempt]]:
    stream = generator.stream("a red circle; at 2s a blue square", params=SamplingParams(decoding="frame"), seed=1)
    stream.advance()
    stream.advance()
    sound = stream.snapshot()
    for number in range(count):
        data = mutate_bytes(sound, rng) if number % 3 == 0 else _repack(sound, rng)
        yield str(number), partial(generator.restore, data)


def _messages(
    sound: tuple[dict[str, Any], ...], parse: Callable[[str], Any], rng: random.Random, count: int
) -> Iterator[tuple[str, Attempt]]:
    for number in range(count):
        text = json.dumps(rng.choice(sound))
        if number % 2:
            text = mutate_bytes(text.encode(), rng).decode("utf-8", "surrogateescape" if number % 4 == 1 else "replace")
        else:
            text = json.dumps(mutate_values(json.loads(text), rng))
        yield text[:80], partial(parse, text)


def _packets(rng: random.Random, count: int) -> Iterator[tuple[str, Attempt]]:
    sound = Packet(next(iter(Kind)), 3, 1, 10**6, b"pixels").pack()
    for number in range(count):
        data = mutate_bytes(sound, rng)
        yield str(number), partial(Packet.unpack, data)


def _mutate_json(data: bytes, rng: random.Random) -> bytes:
    return json.dumps(mutate_values(json.loads(data), rng)).encode()
