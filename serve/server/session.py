"""`Session`: one WebSocket connection, from the greeting to the end."""

import asyncio
import base64
import binascii
import logging
from collections.abc import Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from ...sample import Frame
from ..engine.controls import Act, Refusal
from ..engine.notes import prompt_notes
from ..protocol import messages
from ..protocol.errors import ServeError, as_serve_error
from ..protocol.messages import Delivery
from ..protocol.packets import Kind, Packet
from ..protocol.script import check_prompt, settings_of
from .actions import action_of, plan_of
from .encoding import make_encoder, packet_of
from .flow import Credits, Rate
from .futures import Futures
from .live import LiveStream
from .service import Service

log = logging.getLogger("framecast.serve")

STATES = {
    "ready": {"start", "restore", "attach", "recover"},
    "playing": {"prompt", "control", "pause", "snapshot", "branch", "stop", "credit"},
    "paused": {"prompt", "control", "resume", "snapshot", "branch", "stop", "credit"},
    "ended": {"start", "restore", "attach", "recover", "control", "stop", "credit"},
}
"""Which messages each state takes."""

_MOST_ERRORS = 20  # answered in one connection
_IN_ORDER = (1000, 1001)  # what a client closes a connection with when it does not want to go on


class Session:
    """Answers one client, and sends it frames.

    Args:
        socket: The connection.
        service: What it may use.
    """

    def __init__(self, socket: WebSocket, service: Service):
        self._socket, self._service, self._config = socket, service, service.config
        self._live: LiveStream | None = None
        self._kept: str | None = None  # the stream that has ended and can still be saved
        self._senders: list[asyncio.Task[None]] = []
        self._state, self._errors, self._stuck, self._failed = "ready", 0, False, False
        self._listener: asyncio.Task | None = None
        self._rate = Rate(self._config.message_rate)
        self._credits = Credits(self._config.max_credits, self._config.stall_seconds)
        self._granted = 0  # credit after the first, which says what arrived

    async def run(self) -> None:
        """Serves the connection until it ends, and gives back all that it held."""
        done = False
        self._listener = asyncio.current_task()
        self._service.connections.add(self)
        offered = self._socket.scope.get("subprotocols", [])
        await self._socket.accept(messages.SUBPROTOCOL if messages.SUBPROTOCOL in offered else None)
        try:
            await self._send(self._service.hello())
            while True:
                await self._answer(await self._receive())
        except ServeError as error:
            await self.fail(error)
        except WebSocketDisconnect as gone:
            done = gone.code in _IN_ORDER
        except asyncio.CancelledError:
            if not self._stuck:
                raise
            log.info("a connection is left, since its client does not read")
        except Exception as error:
            if not self._failed:  # else the sender has closed the connection
                log.exception("a connection failed")
                await self.fail(as_serve_error(error))
        finally:
            await self._end_stream(done)
            self._keep_recording(None)
            self._service.connections.discard(self)

    async def _answer(self, request: Any) -> None:
        """Does what a message asks for; what cannot be done is said, and changes nothing."""
        try:
            if request.type not in STATES[self._state]:
                wanted = ", ".join(sorted(STATES[self._state]))
                raise ServeError("wrong_state", f"got {request.type} while {self._state}; wanted one of {wanted}")
            await getattr(self, f"_on_{request.type}")(request)
        except ServeError as error:
            self._errors += 1
            if self._errors >= _MOST_ERRORS:
                raise
            await self._send_error(error, fatal=False, reply_to=request.id)

    async def _on_start(self, request: messages.Start) -> None:
        try:
            first_frames = [base64.b64decode(file, validate=True) for file in request.first_frames]
        except binascii.Error as error:
            raise ServeError("bad_frames", f"got first frames that are not base64 ({error})") from error
        picture = await self._receive_picture(request.picture_size)
        self._check_delivery(request)
        live = await self._service.start(request, request.max_frames, first_frames, picture, request.notes, request.by_hand)
        await self._play(live, request, list(live.notes) if request.notes else None)

    async def _on_restore(self, request: messages.Restore) -> None:
        self._check_delivery(request)
        if request.size > self._config.max_snapshot:
            raise ServeError("too_large", f"got a snapshot of {request.size} bytes; wanted at most {self._config.max_snapshot}")
        snapshot = await self._receive_bytes(request.size)
        await self._play(await self._service.restore(snapshot, request.max_frames, request.by_hand), request)

    async def _on_attach(self, request: messages.Attach) -> None:
        self._check_delivery(request)
        await self._play(await self._service.attach(request.branch, request.by_hand), request)

    async def _on_recover(self, request: messages.Recover) -> None:
        self._check_delivery(request)
        live = await self._service.recover(request.session, request.frame, request.max_frames, request.by_hand, request.held)
        await self._play(live, request)

    async def _on_prompt(self, request: messages.Prompt) -> None:
        check_prompt(request.prompt, self._config.max_prompt)
        frame, prompt = await self._stream.set_prompt(request.prompt)
        notes = prompt_notes(self._service.generator, [(0.0, prompt)]) if request.notes else None
        await self._send(messages.Prompted(reply_to=request.id, frame=frame, prompt=prompt, notes=notes))

    async def _on_control(self, request: messages.Control) -> None:
        action = action_of(request, self._service.generator.action_space)
        if self._state != "ended":  # it was on its way when the last frame was
            self._stream.control(Act(request.id, request.clock, action))

    async def _on_pause(self, request: messages.Pause) -> None:
        self._stream.pause()
        self._state = "paused"
        await self._send(messages.Paused(reply_to=request.id, frame=self._stream.next_index))

    async def _on_resume(self, request: messages.Resume) -> None:
        self._state = "playing"
        await self._send(messages.Resumed(reply_to=request.id, frame=self._stream.next_index))
        self._stream.resume()

    async def _on_snapshot(self, request: messages.Snapshot) -> None:
        frame, data = await self._stream.snapshot()
        packet = Packet(Kind.SNAPSHOT, frame, 0, 0, data).pack()
        await self._send(messages.Snapshotted(reply_to=request.id, frame=frame, size=len(packet)))
        await self._patiently(self._socket.send_bytes(packet))

    async def _on_branch(self, request: messages.Branch) -> None:
        prompts = request.prompts or [None] * len(request.seeds)
        for prompt in prompts:
            check_prompt(prompt or "", self._config.max_prompt)
        actions = None if request.actions is None else plan_of(request.actions, self._service.generator.action_space)
        branches = await self._service.branch(self._stream, Futures(request.seeds, prompts, request.frame, actions))
        frame, names = branches[0].next_index, [branch.id for branch in branches]
        await self._send(messages.Branched(reply_to=request.id, frame=frame, branches=names, seeds=request.seeds))

    async def _on_stop(self, request: messages.Stop) -> None:
        frame = self._live.next_index if self._live is not None else 0
        await self._end_stream(done=True)
        await self._send(messages.Stopped(reply_to=request.id, frame=frame))

    async def _on_credit(self, request: messages.Credit) -> None:
        self._credits.give(request.frames)
        self._granted += request.frames
        if self._live is not None:
            self._live.channel.confirm(self._live.channel.span.start + self._granted)

    async def _play(self, live: LiveStream, request: Delivery, notes: list[str] | None = None) -> None:
        """Begins to send the frames of a stream."""
        await self._end_stream(done=True)
        self._keep_recording(None)
        self._live, space = live, self._service.generator.action_space
        await live.keep()
        self._state, self._granted = "playing", 0
        self._credits = Credits(self._config.max_credits, self._config.stall_seconds)
        self._credits.give(request.credits)
        await self._send(
            messages.Started(
                reply_to=request.id,
                session=live.id,
                seed=live.seed,
                settings=settings_of(live.params),
                pace=request.pace,
                format=request.format,
                frame=live.next_index,
                video=f"/v1/streams/{live.id}.mp4",
                recoverable=self._service.host.store is not None,
                notes=notes,
                action_space=space.to_json() if request.actions and space is not None else None,
            )
        )
        self._senders = [asyncio.create_task(self._sending(self._send_all(live, request)))]
        if space is not None:
            self._senders.append(asyncio.create_task(self._sending(self._send_news(live))))

    async def _sending(self, work: Coroutine[Any, Any, None]) -> None:
        """Sends beside the listening; what goes wrong ends the connection."""
        try:
            await work
        except ServeError as error:
            await self.fail(error)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client has gone; the listener sees it too
        except Exception as error:
            log.exception("sending failed")
            await self.fail(as_serve_error(error))

    async def _send_all(self, live: LiveStream, request: Delivery) -> None:
        generator = self._service.generator
        encoder = make_encoder(request.format, generator.height, generator.width, generator.fps)
        prompt: str | None = None
        last: Frame | None = None
        async for frame in live.play(None if request.pace == "fast" else generator.fps, self._credits.wait):
            self._credits.spend()
            if frame.prompt != prompt:
                prompt = frame.prompt
                await self._send(messages.Shows(frame=frame.index, prompt=prompt))
            await self._send_frame(live, encoder.kind, frame, await encoder.encode(frame))
            last = frame
        if last is not None and (rest := await encoder.finish()):
            await self._send_frame(live, encoder.kind, last, rest)
        self._state = "ended"
        await live.close()  # its snapshot stays, until the client has the last frames and goes
        self._keep_recording(live)
        await self._send(messages.Ended(frame=live.next_index))

    async def _send_news(self, live: LiveStream) -> None:
        """Says of each control that the engine has read what became of it."""
        while True:
            news = await live.control_news()
            if isinstance(news, Refusal):
                await self._send_error(news.error, fatal=False, reply_to=news.id)
            else:
                await self._send(messages.ControlApplied(id=news.id, latent_frame=news.latent_frame, frame=news.frame))

    async def _send_frame(self, live: LiveStream, kind: Kind, frame: Frame, data: bytes) -> None:
        packet = packet_of(frame, kind, data, self._service.generator.fps, live.channel.controls.held_at(frame.index))
        await self._patiently(self._socket.send_bytes(packet.pack()))

    async def _end_stream(self, done: bool = False) -> None:
        """Ends the stream, if there is one, and its sending; the place is free afterwards. Who is `done` will not recover it."""
        senders, live = self._senders, self._live
        self._senders, self._live = [], None
        self._state = "ready"
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        if live is not None:
            await live.close(drop=done)
            self._keep_recording(live)

    def _keep_recording(self, live: LiveStream | None) -> None:
        """Lets a stream that has ended be saved, in place of the one before."""
        if self._kept is not None:
            self._service.archive.drop(self._kept)
        self._kept = None if live is None else live.id
        if live is not None:
            self._service.archive.keep(live)

    async def _receive(self) -> Any:
        """The next message of the client.

        Raises:
            ServeError: It is none of the protocol, or did not come in time.
        """
        message = await self._next_message()
        if message.get("text") is None:
            raise ServeError("bad_message", "got a binary message that was not announced; wanted JSON")
        text = message["text"]
        if len(text) > self._config.max_text:
            raise ServeError("too_large", f"got a message of {len(text)} letters; wanted at most {self._config.max_text}")
        return messages.parse_request(text)

    async def _receive_bytes(self, size: int) -> bytes:
        message = await self._next_message()
        data = message.get("bytes")
        if data is None or len(data) != size:
            raise ServeError("bad_message", f"got no binary message of the {size} bytes that were announced; send it next")
        return data

    async def _receive_picture(self, size: int | None) -> bytes | None:
        if size is not None and size > self._config.max_picture:
            most = self._config.max_picture
            raise ServeError(
                "too_large", f"got a picture of {size} bytes; wanted at most {most}; make it smaller, or save it as JPEG"
            )
        return None if size is None else await self._receive_bytes(size)

    async def _next_message(self) -> Any:
        while True:
            try:
                async with asyncio.timeout(self._config.idle_seconds):
                    message = await self._socket.receive()
            except TimeoutError:
                if self._state == "playing":
                    continue  # frames are wanted, or the sender complains
                raise ServeError("idle", f"nothing came in {self._config.idle_seconds:g} s; connect again") from None
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            self._rate.count()
            return message

    async def _send(self, reply: messages.Reply) -> None:
        await self._patiently(self._socket.send_text(reply.model_dump_json(exclude_none=True)))

    async def _patiently(self, sending: Any) -> None:
        """Waits for a client that does not read, but not for ever."""
        try:
            async with asyncio.timeout(self._config.stall_seconds):
                await sending
        except TimeoutError:
            seconds, self._stuck = self._config.stall_seconds, True
            raise ServeError("too_slow", f"nothing was read in {seconds:g} s; read faster, or give less credit") from None

    async def _send_error(self, error: ServeError, fatal: bool, reply_to: int | None = None) -> None:
        self._service.metrics.refused.labels(error.code).inc()
        await self._send(messages.Error(reply_to=reply_to, code=error.code, message=error.message, fatal=fatal))

    async def fail(self, error: ServeError) -> None:
        """Says what is wrong and closes the connection; a client that does not read is left without a word."""
        if self._failed:
            return
        self._failed = True
        log.info("a connection is closed: %s: %s", error.code, error.message)
        if self._stuck:
            assert self._listener is not None
            self._listener.cancel()
            return
        try:
            await self._send_error(error, fatal=True)
            await self._patiently(self._socket.close(error.close_code, error.code))
        except (ServeError, WebSocketDisconnect, RuntimeError):
            pass

    @property
    def _stream(self) -> LiveStream:
        assert self._live is not None, self._state
        return self._live

    def _check_delivery(self, request: Delivery) -> None:
        if request.by_hand and request.format == "h264":
            raise ServeError("bad_message", "got h264 to play with, whose pieces come a frame late; wanted png, webp or jpeg")
        if request.credits > self._config.max_credits:
            raise ServeError("bad_message", f"got {request.credits} credits; wanted at most {self._config.max_credits}")
