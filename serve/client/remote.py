"""`RemoteStream`: a stream that a server makes, with the names of `Stream`."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

import torch
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ...data.images import decode_image
from ...sample import Frame, SamplingParams
from ..protocol import messages
from ..protocol.errors import CODES, ServeError
from ..protocol.packets import Kind, Packet
from .dial import Dialler

AHEAD = 24  # frames that may be on their way
GONE = ("server_full", "draining")  # what another server may not say
_RECOVER_SECONDS = 30.0
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)  # seconds between attempts to recover; the last one for all that follow


class RemoteStream:
    """A stream that a server makes: an async iterator of frames, with the names of `Stream`.

    Where the server keeps snapshots, a lost server is not the end: the stream goes on at another one, token for token. What was
    asked for and not answered is asked for again there.

    Attributes:
        session: Its name on the server.
        seed: The stream's seed.
        params: How tokens are chosen.
        video: Path on the server of the same as a fragmented mp4.
        next_index: Index of the frame that comes next.
        prompt: The prompt of the frames that come now.
        recoveries: How often it went on at another server.
        notes: What the model cannot show of the prompt that was set last, or of the picture that it began with, a sentence each.
    """

    def __init__(self, dialler: Dialler, delivery: dict[str, Any]):
        self._dialler, self._delivery = dialler, delivery
        self._socket: ClientConnection | None = None
        self._frames: asyncio.Queue[Frame | Exception | None] = asyncio.Queue()
        self._requests: dict[int, tuple[dict[str, Any], asyncio.Future[Any]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._number, self._eaten, self._closed, self._received, self._credit_from = 0, 0, False, 0, 0
        self._connected = self._recoverable = self._paused = False
        self.session, self.seed, self.params, self.video, self.prompt = "", 0, SamplingParams(), "", ""
        self.next_index = self.recoveries = 0
        self.notes: tuple[str, ...] = ()

    @classmethod
    async def open(cls, dialler: Dialler, begin: dict[str, Any], delivery: dict[str, Any], data: bytes | None = None) -> Self:
        """Begins a stream. If one of several replicas is full, another connection may find another one.

        Args:
            dialler: Where the server is.
            begin: The message that begins it.
            delivery: How its frames are to be sent, here and where it goes on.
            data: The snapshot that follows the message.

        Raises:
            ServeError: The server refused.
            ConnectionError: There is no server.
        """
        attempts = 0
        while True:
            remote = cls(dialler, delivery)
            try:
                await remote.connect(begin, data)
                return remote
            except ServeError as error:
                attempts += 1
                replicas = int(remote.hello.limits.get("replicas", 1))
                if error.code not in GONE or attempts >= (2 * replicas if replicas > 1 else 1):
                    raise

    async def connect(self, begin: dict[str, Any], data: bytes | None = None) -> None:
        """Opens a connection and begins."""
        self._socket = await self._dialler.dial()
        self.hello = messages.parse_reply(await self._text())
        try:
            await self._begin(self._fitting(begin), data)
            self.next_index = self._received
        except BaseException:
            await self._socket.close()
            raise
        self._connected = True
        self._reader = asyncio.create_task(self._read())

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        found = None if self._closed else await self._frames.get()
        if found is None:
            self._closed = True
            raise StopAsyncIteration
        if isinstance(found, Exception):
            self._closed = True
            raise found
        self.next_index, self.prompt = found.index + 1, found.prompt
        await self._eat(found.index)
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def set_prompt(self, prompt: str) -> int:
        """Changes the prompt; returns the index of the first frame for which it holds.

        Raises:
            ServeError: The prompt cannot be followed; the old one stays.
            ConnectionError: The server was lost before it answered, and there is no other.
        """
        notes = {"notes": True} if self._knows_notes else {}
        reply = await self._ask({"type": "prompt", "prompt": prompt, **notes})
        self.notes = tuple(reply.notes or ())
        return reply.frame

    async def pause(self) -> int:
        """Makes no more frames; returns the index of the frame that comes next."""
        reply = await self._ask({"type": "pause"})
        self._paused = True
        return reply.frame

    async def resume(self) -> None:
        """Goes on."""
        await self._ask({"type": "resume"})
        self._paused = False

    async def snapshot(self) -> bytes:
        """All of the stream as bytes, which `Client.restore` and `VideoGenerator.restore` go on with."""
        return await self._ask({"type": "snapshot"})

    async def branch(
        self, seeds: Sequence[int], prompts: Sequence[str | None] | None = None, frame: int | None = None
    ) -> list["RemoteStream"]:
        """Other futures of one moment, one for each seed; this stream goes on as it was.

        Args:
            seeds: The seed of each future.
            prompts: The prompt of each, which holds as soon as it can; `None` keeps the prompt of the moment.
            frame: The moment, a frame that came; the futures begin with the first frame of its latent frame. `None` is now.

        Raises:
            ServeError: The moment is long past, a prompt cannot be followed, or there are not enough places.
        """
        more = {name: value for name, value in (("prompts", prompts and list(prompts)), ("frame", frame)) if value is not None}
        reply = await self._ask({"type": "branch", "seeds": list(seeds), **more})
        attaching = [{"type": "attach", "branch": name} for name in reply.branches]
        return [await self.open(self._dialler, begin, self._delivery) for begin in attaching]

    async def close(self) -> None:
        """Ends the stream."""
        self._closed = True
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        self._break_requests(ConnectionError("the stream was closed"))
        if self._socket is not None:
            await self._socket.close()

    async def _begin(self, begin: dict[str, Any], data: bytes | None) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps(begin | self._delivery))
        if data is not None:
            await self._socket.send(data)
        reply = messages.parse_reply(await self._text())
        if reply.type == "error":
            raise ServeError(reply.code, reply.message)
        self.session, self.seed, self.video = reply.session, reply.seed, reply.video
        self.params, self._recoverable = reply.settings.params(), reply.recoverable
        self._received = self._credit_from = reply.frame
        self.notes = tuple(reply.notes or self.notes) if reply.type == "started" else self.notes
        self._eaten = 0

    def _fitting(self, begin: dict[str, Any]) -> dict[str, Any]:
        """A first message as this server takes it: servers that know no pictures know no notes either."""
        most, size = int(self.hello.limits.get("picture", 0)), begin.get("picture_size", 0)
        if size > most:
            raise ServeError("too_large", f"got a picture of {size} bytes; this server takes {most}; make the picture smaller")
        return begin | {"notes": True} if begin["type"] == "start" and self._knows_notes else begin

    @property
    def _knows_notes(self) -> bool:
        return "picture" in self.hello.limits

    async def _text(self) -> str:
        assert self._socket is not None
        try:
            message = await self._socket.recv()
        except ConnectionClosed as error:
            raise ConnectionError(f"the server closed the connection ({error})") from error
        return message if isinstance(message, str) else message.decode()

    async def _ask(self, request: dict[str, Any]) -> Any:
        if self._closed or self._reader is None or self._reader.done():
            raise ConnectionError("the stream has ended")
        self._number += 1
        number = self._number
        request, waiting = request | {"id": number}, asyncio.get_running_loop().create_future()
        self._requests[number] = (request, waiting)
        try:
            if self._connected:
                await self._send(request)
            return await waiting
        finally:
            self._requests.pop(number, None)

    async def _send(self, request: dict[str, Any]) -> None:
        assert self._socket is not None
        try:
            await self._socket.send(json.dumps(request))
        except ConnectionClosed:
            pass  # the reader sees it, and tells who waits

    async def _eat(self, index: int) -> None:
        """Gives credit for frames of this connection that were used."""
        if index < self._credit_from or not self._connected:
            return
        self._eaten += 1
        if self._eaten >= AHEAD // 2:
            eaten, self._eaten = self._eaten, 0
            await self._send({"type": "credit", "frames": eaten})

    async def _read(self) -> None:
        """Hands out what comes, over several servers if that is possible."""
        while True:
            try:
                await self._read_connection()
                self._break_requests(ConnectionError("the stream has ended"))
                self._frames.put_nowait(None)
                return
            except Exception as error:
                lost = ConnectionError(f"the server was lost ({error})") if isinstance(error, ConnectionClosed) else error
                self._connected = False
                if not await self._recover(lost):
                    self._break_requests(lost)
                    self._frames.put_nowait(lost)
                    return

    async def _read_connection(self) -> None:
        """Hands out what comes, up to the end of the stream."""
        assert self._socket is not None
        prompt = self.prompt
        async for message in self._socket:
            if isinstance(message, bytes):
                self._take(Packet.unpack(message), prompt)
                continue
            reply = messages.parse_reply(message)
            if reply.type == "shows":
                prompt = reply.prompt
            elif reply.type == "ended":
                return
            elif reply.type == "error" and reply.reply_to is None:
                raise ServeError(reply.code if reply.code in CODES else "internal", reply.message)
            else:
                self._answer(reply)
        raise self._socket.protocol.close_exc

    def _take(self, packet: Packet, prompt: str) -> None:
        if packet.kind is Kind.SNAPSHOT:
            asked = [number for number, (request, _) in self._requests.items() if request["type"] == "snapshot"]
            self._settle(asked[0] if asked else None, packet.payload)
            return
        pixels = decode_image(packet.payload, (self.hello.height, self.hello.width))
        self._frames.put_nowait(Frame(torch.from_numpy(pixels.copy()), packet.index, packet.latent_index, prompt))
        self._received = packet.index + 1

    def _answer(self, reply: Any) -> None:
        if reply.type == "error":
            self._settle(reply.reply_to, ServeError(reply.code, reply.message))
        elif reply.type != "snapshotted":  # the snapshot itself is the answer
            self._settle(reply.reply_to, reply)

    def _settle(self, number: int | None, result: Any) -> None:
        """Gives who asked an answer, if someone still waits for it."""
        _, waiting = self._requests.pop(number, (None, None)) if number is not None else (None, None)
        if waiting is None or waiting.done():
            return
        if isinstance(result, Exception):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)

    def _break_requests(self, error: Exception) -> None:
        for number in list(self._requests):
            self._settle(number, ConnectionError(str(error)))

    async def _recover(self, lost: Exception) -> bool:
        """Goes on at another server; says whether there was one."""
        may_go_on = isinstance(lost, ConnectionError) or (isinstance(lost, ServeError) and lost.code == "draining")
        if not self._recoverable or not may_go_on:
            return False
        clock, pauses = asyncio.get_running_loop(), itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1]))
        until = clock.time() + _RECOVER_SECONDS
        while clock.time() < until:
            try:
                await self._go_on()
                return True
            except ServeError as error:
                if error.code not in GONE:
                    return False
            except (ConnectionError, ConnectionClosed):
                pass
            await asyncio.sleep(next(pauses))
        return False

    async def _go_on(self) -> None:
        """Connects again, from the first frame that did not come, and asks again for what was not answered."""
        if self._socket is not None:
            await self._socket.close()
        self._socket = await self._dialler.dial()
        self.hello = messages.parse_reply(await self._text())
        await self._begin({"type": "recover", "session": self.session, "frame": self._received}, None)
        self.recoveries += 1
        self._connected = True
        if self._paused:
            await self._send({"type": "pause"})
        for request, _ in list(self._requests.values()):
            await self._send(request)
