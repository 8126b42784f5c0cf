"""`Neighbours`: what a server of a cluster asks the others, and answers them, about streams that run elsewhere."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from ..protocol.errors import ServeError, as_serve_error
from ..server.others import Steerable
from ..server.service import Service
from .keeper import Letter, Line

log = logging.getLogger("framecast.serve")

_PIECE_SECONDS = 2.0  # how long an answer waits for a piece of video
_WATCH_SECONDS = 20.0  # how long a watcher may leave its pieces
_RETRY_SECONDS = 0.5


class Distant:
    """A stream of another server, steered and watched by letters.

    Args:
        line: Where the keeper is.
        home: The server's name.
        id: The stream's name.
    """

    def __init__(self, line: Line, home: str, id: str):
        self._line, self._home, self._id = line, home, id

    async def set_prompt(self, text: str) -> tuple[int, str]:
        """As `LiveStream.set_prompt`."""
        return tuple(await self._ask("prompt", text))

    async def close(self, error: ServeError | None = None, drop: bool = False) -> None:
        """As `LiveStream.close`; it is forgotten in any case."""
        await self._ask("close")

    async def fragments(self) -> AsyncIterator[bytes]:
        """As `LiveStream.fragments`."""
        watcher = await self._ask("watch")
        try:
            while (piece := await self._ask("more", watcher)) is not None:
                if piece:
                    yield piece
        finally:
            await self._ask("unwatch", watcher)

    async def _ask(self, what: str, *arguments: Any) -> Any:
        try:
            problem, result = await self._line("ask", self._home, what, self._id, *arguments)
        except ConnectionError as error:
            raise ServeError("draining", "the server of this stream does not answer; try again in a while") from error
        if problem is not None:
            raise ServeError(problem, result)
        return result


class Neighbours:
    """Finds streams that run on other servers, and answers what those ask about the streams here.

    Args:
        service: The server here.
        line: Where the keeper is.
    """

    def __init__(self, service: Service, line: Line):
        self._service, self._line = service, line
        self._watchers: dict[int, _Watcher] = {}
        self._numbers = itertools.count(1)
        self._tasks = set[asyncio.Task[None]]()

    async def find(self, id: str) -> Steerable | None:
        """A stream that runs on another server. One whose server was lost goes on here.

        Raises:
            ServeError: The keeper is out of reach, or a lost stream finds no place here.
        """
        try:
            home = await self._line("home", id)
        except ConnectionError as error:
            raise ServeError("draining", "other servers are out of reach; try again in a while") from error
        if home is None or home[0] == self._service.host.name:
            return None
        name, alive = home
        if alive:
            return Distant(self._line, name, id)
        live = await self._service.recover(id)
        await self._service.broadcast(live)
        return live

    async def run(self) -> None:
        """Answers, until it is cancelled."""
        while True:
            try:
                letter = await self._line("receive", self._service.host.name)
            except ConnectionError as error:
                log.warning("other servers are out of reach: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if letter is not None:
                task = asyncio.create_task(self._reply(letter))
                self._tasks.add(task)  # the loop itself would forget it
                task.add_done_callback(self._tasks.discard)

    async def _reply(self, letter: Letter) -> None:
        try:
            problem, result = None, await getattr(self, f"_on_{letter.what}")(letter.id, *letter.arguments)
        except Exception as error:
            if not isinstance(error, ServeError):
                log.exception("a question of another server was not answered")
            refusal = as_serve_error(error)
            problem, result = refusal.code, refusal.message
        try:
            await self._line("answer", letter.number, (problem, result))
        except ConnectionError:
            pass  # who asked is told so

    async def _on_prompt(self, id: str, text: str) -> tuple[int, str]:
        return await self._service.find(id).set_prompt(text)

    async def _on_close(self, id: str) -> None:
        await self._service.find(id).close(drop=True)

    async def _on_watch(self, id: str) -> int:
        live, number = self._service.find(id), next(self._numbers)
        self._watchers[number] = _Watcher(live.fragments(), lambda: self._watchers.pop(number, None))
        return number

    async def _on_more(self, id: str, number: int) -> bytes | None:
        watcher = self._watchers.get(number)
        return None if watcher is None else await watcher.more()

    async def _on_unwatch(self, id: str, number: int) -> None:
        watcher = self._watchers.get(number)
        if watcher is not None:
            watcher.end()


class _Watcher:
    """Collects the pieces of a video until they are asked for; ends with the video, or when nobody asks."""

    def __init__(self, fragments: AsyncIterator[bytes], on_end: Callable[[], object]):
        self._on_end, self._pieces = on_end, list[bytes]()
        self._news, self._asked_at = asyncio.Event(), asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._collect(fragments))

    async def more(self) -> bytes | None:
        """What has come since it was asked for last, at least something if that takes not too long; `None` at the end."""
        self._asked_at = asyncio.get_running_loop().time()
        if not self._pieces and not self._task.done():
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), _PIECE_SECONDS)
            except TimeoutError:
                return b""
        if not self._pieces:
            self.end()
            return None
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)

    def end(self) -> None:
        """Collects no more."""
        self._task.cancel()
        self._on_end()

    async def _collect(self, fragments: AsyncIterator[bytes]) -> None:
        try:
            async for piece in fragments:
                self._pieces.append(piece)
                if asyncio.get_running_loop().time() - self._asked_at > _WATCH_SECONDS:
                    self.end()
                self._news.set()
        finally:
            self._news.set()
