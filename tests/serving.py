"""A server of the tiny generator in this process, and connections to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import tiny_bundle
from websockets.asyncio.client import ClientConnection, connect

from framecast.sample import VideoGenerator
from framecast.serve import Client, ServeConfig, Service
from framecast.serve.protocol import Packet
from framecast.serve.server import make_server
from framecast.serve.store import SnapshotStore

PROMPT, OTHER = "a red circle moves right", "a blue square moves up"


@dataclass
class Running:
    """A server that runs: where it is, and its inside."""

    port: int
    service: Service

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
    generator: VideoGenerator | None = None, store: SnapshotStore | None = None, **config: Any
) -> AsyncIterator[Running]:
    """A server on a free port, with small limits where `config` says so."""
    service = Service(generator or tiny_bundle.generator(), ServeConfig(**{"port": 0, **config}), store)
    server = make_server(service)
    listener = server.config.bind_socket()
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(30):
            while not server.started:
                await asyncio.sleep(0.01)
        yield Running(listener.getsockname()[1], service)
    finally:
        server.should_exit = True
        await task
