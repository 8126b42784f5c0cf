"""A server of the tiny generator, in this process or in one of its own, and connections to it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import tiny_bundle
from websockets.asyncio.client import ClientConnection, connect

from framecast.sample import Frame, VideoGenerator
from framecast.serve import Client, ServeConfig, Service
from framecast.serve.protocol.packets import Packet
from framecast.serve.server.listening import listen
from framecast.serve.server.run import Server, make_server
from framecast.serve.server.store import SnapshotStore

REPO = Path(__file__).resolve().parents[1]
WATCHED = """
import sys
def note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.system"):
        print("EVENT", event, arguments, file=sys.stderr, flush=True)
sys.addaudithook(note)
from framecast.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""`framecast` with every attempt to reach out written to its errors."""
PROMPT, OTHER = "a red circle moves right", "a blue square moves up"


def library(
    num_frames: int, prompt: str = PROMPT, seed: int = 3, changes: dict[int, str] | None = None, **options
) -> list[Frame]:
    """The frames that the library makes; `changes` are prompts by the frame from which they hold."""
    stream = tiny_bundle.generator().stream(prompt, seed, **options)
    frames: list[Frame] = []
    while len(frames) < num_frames:
        if not stream.pending and stream.next_index in (changes or {}):
            stream.set_prompt(changes[stream.next_index])  # type: ignore[index]
        frames.append(next(stream))
    return frames


def same(a: list[Frame], b: list[Frame], levels: int = 0) -> bool:
    """Whether frames are the same, or in company differ by one of 256 `levels` at most.

    Torch computes the last few values of a layer without vector instructions, with other rounding. In networks as tiny as these
    that depends on the size of the batch; where a picture has a multiple of 32 values in every layer it does not.
    """
    assert [(f.index, f.latent_index, f.prompt) for f in a] == [(f.index, f.latent_index, f.prompt) for f in b]
    return all((x.image.int() - y.image.int()).abs().max() <= levels for x, y in zip(a, b, strict=True))


async def some(stream, num_frames: int) -> list[Frame]:
    return [await asyncio.wait_for(anext(stream), 20) for _ in range(num_frames)]


@dataclass
class Running:
    """A server that runs: where it is, and its inside."""

    port: int
    service: Service
    server: Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options: Any) -> Client:
        return Client(self.url, **options)

    def http(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=30, **options)

    @asynccontextmanager
    async def socket(self, name: str = "127.0.0.1", **options: Any) -> AsyncIterator["Socket"]:
        """A connection to the server by a name, after the greeting."""
        address = f"ws://{name}:{self.port}/v1/stream"
        place = {} if "sock" in options else {"host": "127.0.0.1", "port": self.port}
        async with connect(address, proxy=None, compression=None, max_size=2**26, **place, **options) as connection:
            socket = Socket(connection)
            assert (await socket.reply())["type"] == "hello"
            yield socket

    def cut(self) -> None:
        """Breaks all connections without a word, as the death of the server would."""
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()

    async def until_free(self, seconds: float = 2.0) -> None:
        """Waits until all places are free, or fails."""
        async with asyncio.timeout(seconds):
            while self.service.taken or self.service.streams:
                await asyncio.sleep(0.01)


@dataclass
class Socket:
    """A connection that speaks the protocol by hand."""

    connection: ClientConnection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def next(self) -> dict[str, Any] | Packet:
        message = await asyncio.wait_for(self.connection.recv(), 20)
        return Packet.unpack(message) if isinstance(message, bytes) else json.loads(message)

    async def reply(self) -> dict[str, Any]:
        """The next message that is no frame and no `shows`."""
        while True:
            message = await self.next()
            if isinstance(message, dict) and message["type"] != "shows":
                return message

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.send(**message)
        return await self.reply()

    async def frame(self) -> Packet:
        """The next frame."""
        while True:
            message = await self.next()
            if isinstance(message, Packet):
                return message

    async def start(self, **settings: Any) -> dict[str, Any]:
        return await self.ask(**{"type": "start", "prompt": PROMPT, "pace": "fast", **settings})


@asynccontextmanager
async def running(
    generator: VideoGenerator | None = None, store: SnapshotStore | None = None, name: str = "alone", **config: Any
) -> AsyncIterator[Running]:
    """A server on a free port, with small limits where `config` says so."""
    service = Service(generator or tiny_bundle.generator(), ServeConfig(**{"port": 0, **config}), store, name)
    server = make_server(service)
    listener = listen(server.config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(30):
            while not server.started:
                await asyncio.sleep(0.01)
        yield Running(listener.getsockname()[1], service, server)
    finally:
        server.should_exit = True
        await task


class Process:
    """`framecast serve` of the tiny bundle with every attempt to reach out written to its log."""

    def __init__(self, folder: Path, *arguments: str, **env: str):
        self.log = folder / "log"
        bundle = tiny_bundle.save(folder / "bundle")
        command = [sys.executable, "-c", WATCHED, "serve", str(bundle), "--port", "0", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(REPO), **env}
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stderr=self.log.open("w"))

    async def url(self) -> str:
        async with asyncio.timeout(120):
            while not (found := re.search(r"at (http://\S+) for", self.log.read_text())):
                assert self.process.poll() is None, self.log.read_text()
                await asyncio.sleep(0.05)
        return found[1]

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(20)
