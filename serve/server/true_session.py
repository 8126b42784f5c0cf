"""`TrueSession`: one WebSocket to an environment that is played and recorded, in the place of a generator."""

import asyncio
from collections import deque
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from ...data.images import encode_image
from ...data.worlds import WorldSpec
from ..engine.controls import Act
from ..protocol import messages
from ..protocol.bodies import Info
from ..protocol.errors import ServeError
from ..protocol.packets import Echo, Kind, Packet
from ..protocol.script import Settings
from .actions import action_of
from .flow import Rate
from .page_player import PagePlayer, Shown

_KINDS = {"png": Kind.PNG, "webp": Kind.WEBP, "jpeg": Kind.JPEG}
_MOST_WAITING = 8  # frames for a client that does not read; older ones are left out
_MOST_LETTERS, _MESSAGES_PER_SECOND = 2**20, 50.0
_A_DAY = 86_400.0


def info_of(spec: WorldSpec, caption: str) -> Info:
    """The greeting: an environment as a world of which every frame is a latent frame."""
    limits = {"prompt": 500, "picture": 0, "sessions": 1, "idle_seconds": _A_DAY, "actions": spec.action_space.size}
    return Info(
        server="framecast",
        bundle=spec.env_id,
        height=spec.size[0],
        width=spec.size[1],
        fps=spec.fps,
        temporal_stride=1,
        limits=limits,
        title=f"{spec.env_id}, recorded",
        action_space=spec.action_space.to_json(),
        opening=caption or spec.env_id,
        starts=None,
        sampling=None,
    )


class TrueSession:
    """Answers one client of an environment: it can begin, hold, pause and stop, and nothing else.

    Args:
        socket: The connection.
        player: Plays what the client holds.
        spec: The environment.
        caption: What its frames show.
    """

    def __init__(self, socket: WebSocket, player: PagePlayer, spec: WorldSpec, caption: str):
        self._socket, self._player, self._spec, self._info = socket, player, spec, info_of(spec, caption)
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        self._waiting: deque[Shown | None] = deque()
        self._kind, self._next, self._told = "png", 0, -1
        self._rate, self._order = Rate(_MESSAGES_PER_SECOND), asyncio.Lock()

    async def run(self) -> None:
        """Serves the connection until it ends; the episode that is played ends with it."""
        offered = self._socket.scope.get("subprotocols", [])
        await self._socket.accept(messages.SUBPROTOCOL if messages.SUBPROTOCOL in offered else None)
        sender = asyncio.create_task(self._send_frames())
        try:
            await self._send(messages.Hello(**{name: getattr(self._info, name) for name in messages.Hello.model_fields}))
            while True:
                await self._answer(await self._receive())
        except ServeError as error:
            await self._send(messages.Error(code=error.code, message=error.message, fatal=True))
            await self._socket.close(error.close_code, error.code)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client has gone
        finally:
            self._player.end(self._show)
            sender.cancel()

    async def _receive(self) -> Any:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        self._rate.count()
        text = message.get("text")
        if text is None or len(text) > _MOST_LETTERS:
            raise ServeError("bad_message", f"got no text of at most {_MOST_LETTERS} letters; wanted JSON")
        return messages.parse_request(text)

    async def _answer(self, request: Any) -> None:
        """Does what a message asks for; what cannot be done is said."""
        answer = getattr(self, f"_on_{request.type}", None)
        try:
            if answer is None:
                raise ServeError(
                    "wrong_state", f"got {request.type} for an environment; wanted start, control, pause, resume or stop"
                )
            await answer(request)
        except ServeError as error:
            await self._send(messages.Error(reply_to=request.id, code=error.code, message=error.message, fatal=False))

    async def _on_start(self, request: messages.Start) -> None:
        if request.format not in _KINDS:
            raise ServeError("bad_message", f"got {request.format} to play with; wanted png, webp or jpeg")
        async with self._order:  # no frame is sent before
            self._waiting.clear()
            self._player.begin(self._show)
            self._kind, self._next, self._told = request.format, 0, -1
            await self._begin(request)

    async def _begin(self, request: messages.Start) -> None:
        started = messages.Started(
            reply_to=request.id,
            session="environment",
            seed=request.seed,
            settings=Settings(),
            pace="play",
            format=request.format,
            frame=0,
            video="",
            recoverable=False,
            notes=None,
            action_space=self._info.action_space if request.actions else None,
        )
        await self._send(started)
        await self._send(messages.Shows(frame=0, prompt=self._info.opening or ""))

    async def _on_control(self, request: messages.Control) -> None:
        self._player.control(Act(request.id, request.clock, action_of(request, self._spec.action_space)))

    async def _on_pause(self, request: messages.Pause) -> None:
        await asyncio.to_thread(self._player.pause, True)
        await self._send_waiting()
        await self._send(messages.Paused(reply_to=request.id, frame=self._next))

    async def _on_resume(self, request: messages.Resume) -> None:
        self._player.pause(False)
        await self._send(messages.Resumed(reply_to=request.id, frame=self._next))

    async def _on_stop(self, request: messages.Stop) -> None:
        self._player.end(self._show)
        await self._send(messages.Stopped(reply_to=request.id, frame=self._next))

    async def _on_credit(self, request: messages.Credit) -> None:
        """A world of its own waits for nobody."""

    async def _on_prompt(self, request: messages.Prompt) -> None:
        raise ServeError("bad_prompt", "got words for an environment, which knows none; wanted keys")

    def _show(self, shown: Shown | None) -> None:
        """Takes what is to be seen, in the recording thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, shown)

    def _put(self, shown: Shown | None) -> None:
        while len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
        self._waiting.append(shown)
        self._news.set()

    async def _send_frames(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._send_waiting()
            except (WebSocketDisconnect, RuntimeError):
                return  # the listener sees it too

    async def _send_waiting(self) -> None:
        async with self._order:
            while self._waiting:
                await self._send_one(self._waiting.popleft())

    async def _send_one(self, shown: Shown | None) -> None:
        await (self._send(messages.Ended(frame=self._next)) if shown is None else self._send_frame(shown))

    async def _send_frame(self, shown: Shown) -> None:
        held, self._next = shown.held, shown.index + 1
        if held is not None and held.id != self._told:
            self._told = held.id
            await self._send(messages.ControlApplied(id=held.id, latent_frame=held.latent_frame, frame=held.frame))
        image = await asyncio.to_thread(encode_image, shown.image, self._kind)
        echo = None if held is None else Echo(held.id, held.clock)
        when = round(shown.index / self._spec.fps * 1e6)
        await self._socket.send_bytes(Packet(_KINDS[self._kind], shown.index, shown.index, when, image, echo).pack())

    async def _send(self, reply: messages.Reply) -> None:
        await self._socket.send_text(reply.model_dump_json(exclude_none=True))
