"""`RemoteStream`: a stream that a server makes, with the names of `Stream`."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

import torch
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ...data.actions import ActionSpace
from ...data.images import decode_image
from ...sample import Frame, SamplingParams
from ...sample.plan import Actions
from ...stride import Stride
from ..protocol import messages
from ..protocol.errors import CODES, ServeError
from ..protocol.packets import Kind, Packet
from .acts import Acts
from .dial import Dialler
from .greeting import fitting, frames_ahead, knows_notes
from .questions import Questions
from .recovery import GONE, may_go_on, recovered


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
        self._questions = Questions()
        self._reader: asyncio.Task[None] | None = None
        self._eaten, self._closed, self._received, self._credit_from = 0, False, 0, 0
        self._connected = self._recoverable = self._paused = False
        self._ahead, self._acts = 0, Acts(None)
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
            await self._begin(begin, data)
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
        notes = {"notes": True} if knows_notes(self.hello) else {}
        reply = await self._ask({"type": "prompt", "prompt": prompt, **notes})
        self.notes = tuple(reply.notes or ())
        return reply.frame

    @property
    def action_space(self) -> ActionSpace | None:
        """What can be done; `None` of a model without actions."""
        return self._acts.space

    async def act(self, action: object) -> int:
        """Does an action from the next latent frame on, until another is given.

        The newest counts: if another one is given before the server has made a latent frame, this one is left out. With the pace
        "play" the action is in the frames that are made next, and otherwise in those that come after the frames on their way.

        Args:
            action: As `ActionSpace.action` takes it, such as "left+gas", {"steering": 0.5} or a row; `None` is unknown.

        Returns:
            The index of the first frame for which it holds, or for which the newer one does.

        Raises:
            ActionError: It is none of `action_space`, or the model takes no actions.
            ConnectionError: The server was lost, or the stream has ended.
        """
        if self._has_ended:
            raise ConnectionError("the stream has ended")
        sent = self._acts.send(self._questions.next_number(), action)
        if self._connected:
            await self._send(sent.message)
        return await sent.applied

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
        self,
        seeds: Sequence[int],
        prompts: Sequence[str | None] | None = None,
        frame: int | None = None,
        actions: Actions | None = None,
    ) -> list["RemoteStream"]:
        """Other futures of one moment, one for each seed; this stream goes on as it was.

        Args:
            seeds: The seed of each future.
            prompts: The prompt of each, which holds as soon as it can; `None` keeps the prompt of the moment.
            frame: The moment, a frame that came; the futures begin with the first frame of its latent frame. `None` is now.
            actions: What is done in each from its next latent frame on, as `Stream.branch` takes it, but for iterators and
                functions: "what if I had gone left". The last action holds. `None` is what is done here.

        Raises:
            ServeError: The moment is long past, a prompt cannot be followed, or there are not enough places.
            ActionError: There is an action that cannot be, or the model takes none.
        """
        more: dict[str, Any] = {"prompts": prompts and list(prompts), "frame": frame}
        if actions is not None:
            more["actions"] = self._acts.plan(actions, Stride(self.hello.temporal_stride))
        given = {name: value for name, value in more.items() if value is not None}
        reply = await self._ask({"type": "branch", "seeds": list(seeds), **given})
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
        self._ahead = frames_ahead(self.hello, self._delivery)
        await self._socket.send(json.dumps(fitting(begin, self.hello) | self._delivery | {"credits": self._ahead}))
        if data is not None:
            await self._socket.send(data)
        reply = messages.parse_reply(await self._text())
        if reply.type == "error":
            raise ServeError(reply.code, reply.message)
        self.session, self.seed, self.video = reply.session, reply.seed, reply.video
        self.params, self._recoverable = reply.settings.params(), reply.recoverable
        self._received = self._credit_from = reply.frame
        if self._acts.space is None and reply.action_space is not None:
            self._acts = Acts(ActionSpace.from_json(reply.action_space))
        self.notes = tuple(reply.notes or self.notes) if reply.type == "started" else self.notes
        self._eaten = 0

    async def _text(self) -> str:
        assert self._socket is not None
        try:
            message = await self._socket.recv()
        except ConnectionClosed as error:
            raise ConnectionError(f"the server closed the connection ({error})") from error
        return message if isinstance(message, str) else message.decode()

    @property
    def _has_ended(self) -> bool:
        return self._closed or self._reader is None or self._reader.done()

    async def _ask(self, request: dict[str, Any]) -> Any:
        if self._has_ended:
            raise ConnectionError("the stream has ended")
        number, request, waiting = self._questions.put(request)
        try:
            if self._connected:
                await self._send(request)
            return await waiting
        finally:
            self._questions.drop(number)

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
        if self._eaten >= self._ahead // 2:
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
            self._questions.settle(self._questions.first("snapshot"), packet.payload)
            return
        pixels = decode_image(packet.payload, (self.hello.height, self.hello.width))
        action = self._acts.holding(None if packet.control is None else packet.control.id, packet.index)
        self._frames.put_nowait(Frame(torch.from_numpy(pixels.copy()), packet.index, packet.latent_index, prompt, action))
        self._received = packet.index + 1

    def _answer(self, reply: Any) -> None:
        if reply.type == "error":
            error = ServeError(reply.code if reply.code in CODES else "internal", reply.message)
            if not self._acts.refuse(reply.reply_to, error):
                self._questions.settle(reply.reply_to, error)
        elif reply.type == "control_applied":
            self._acts.apply(reply)
        elif reply.type != "snapshotted":  # the snapshot itself is the answer
            self._questions.settle(reply.reply_to, reply)

    def _break_requests(self, error: Exception) -> None:
        self._questions.fail(error)
        self._acts.fail(ConnectionError(str(error)))

    async def _recover(self, lost: Exception) -> bool:
        """Goes on at another server; says whether there was one."""
        return self._recoverable and may_go_on(lost) and await recovered(self._go_on)

    async def _go_on(self) -> None:
        """Connects again, from the first frame that did not come, and asks again for what was not answered."""
        if self._socket is not None:
            await self._socket.close()
        self._socket = await self._dialler.dial()
        self.hello = messages.parse_reply(await self._text())
        held = {"held": seen} if (seen := self._acts.seen) else {}
        await self._begin({"type": "recover", "session": self.session, "frame": self._received, **held}, None)
        self.recoveries += 1
        self._connected = True
        if self._paused:
            await self._send({"type": "pause"})
        if (newest := self._acts.newest) is not None:
            await self._send(newest)
        for request in self._questions.messages:
            await self._send(request)
