"""`Service`: which streams run on a server; what WebSockets and HTTP share."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Protocol

from ...sample import Stream, VideoGenerator
from ..engine.channel import Channel, Span
from ..engine.engine import Engine
from ..engine.notes import meant, opening, picture_notes, prompt_notes
from ..protocol.bodies import Info, StartInfo
from ..protocol.errors import DRAINING, TAKEN_OVER, ServeError, as_serve_error
from ..protocol.messages import HeldSince, Hello
from ..protocol.script import Script, settings_of
from .archive import Archive
from .config import ServeConfig
from .futures import Futures
from .given import GivenFrames
from .host import Host
from .live import LiveStream
from .metrics import Metrics
from .others import Others, Steerable
from .places import Place, Places
from .recording import Recording
from .redoing import redone
from .store import SnapshotStore

_GOODBYE_SECONDS = 2.0
_ATTACH_SECONDS = 10.0  # how long a branch waits for its connection


class Connection(Protocol):
    """Who is to be told if the server goes down."""

    async def fail(self, error: ServeError) -> None:
        """Says why, and closes."""


class Service:
    """All that runs on a server, whatever it is reached by.

    Args:
        generator: Makes the frames.
        config: The limits.
        store: Where snapshots of running streams are kept; `None` keeps none.
        name: Its name among the servers that share the store.

    Attributes:
        others: Where else streams run; `None` is nowhere.
        host: What the streams here need of it.
        connections: Who is to be told if it goes down.
        archive: What streams that have ended had made.
    """

    def __init__(self, generator: VideoGenerator, config: ServeConfig, store: SnapshotStore | None = None, name: str = "alone"):
        self.generator, self.config = generator, config
        self.others: Others | None = None
        self.metrics = Metrics()
        self.engine = Engine(generator, config.slots, self.metrics)
        self.host = Host(self.engine, self.metrics, store, config.snapshot_every, config.idle_seconds, name)
        self.streams: dict[str, LiveStream] = {}
        self.saving = asyncio.Semaphore()  # videos are decoded one at a time, beside the streams
        self._given = GivenFrames(generator.codec, config)
        self.archive = Archive(self.engine.run)
        self._branches: dict[str, tuple[LiveStream, LiveStream]] = {}  # with the stream that each is of
        self._places = Places(config.capacity)
        self.connections = set[Connection]()
        self._tasks = set[asyncio.Task[None]]()
        self.metrics.sessions.set_function(lambda: self.taken)
        self.metrics.waiting.set_function(lambda: sum(live.channel.waiting for live in list(self.streams.values())))

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._places.taken

    @property
    def draining(self) -> bool:
        """Whether it is going down."""
        return self._places.closed

    def hello(self) -> Hello:
        """Who serves, and what it allows: the first message of a connection, which HTTP tells too."""
        generator, config = self.generator, self.config
        return Hello(
            server="framecast",
            bundle=generator.name,
            height=generator.height,
            width=generator.width,
            fps=generator.fps,
            temporal_stride=generator.codec.stride.frames,
            limits={
                "prompt": config.max_prompt,
                "frames": config.max_frames,
                "credits": config.max_credits,
                "message": config.max_text,
                "snapshot": config.max_snapshot,
                "first_frames": config.max_first_frames,
                "picture": config.max_picture,
                "sessions": config.capacity,
                "replicas": config.max_replicas or config.replicas,
                "idle_seconds": config.idle_seconds,
                **({} if self.generator.action_space is None else {"actions": self.generator.action_space.size}),
            },
        )

    def info(self) -> Info:
        """The greeting, and what can be done."""
        space, starts = self.generator.action_space, self.generator.starts
        return Info(
            **self.hello().model_dump(),
            title=self.config.title,
            action_space=None if space is None else space.to_json(),
            starts=[StartInfo(name=start.name, prompt=start.prompt) for start in starts] or None,
            opening=None if space is None else opening(self.generator),
            sampling=settings_of(self.generator.params),
        )

    async def start(
        self,
        script: Script,
        max_frames: int | None,
        first_frames: list[bytes] | None = None,
        picture: bytes | None = None,
        notes: bool = False,
        by_hand: bool = False,
    ) -> LiveStream:
        """Begins a stream.

        Args:
            script: What the video shows.
            max_frames: Where it ends; `None` is the server's limit.
            first_frames: Files of frames of the video's size to go on from.
            picture: A file of any size to go on from instead.
            notes: Whether the stream is to have `notes` of what the model cannot show.
            by_hand: Whether its reader plays, and asks for each latent frame.

        Raises:
            ServeError: There is no place, or the prompt, a setting or the first frames cannot be used.
        """
        prompts = meant(self.generator, script.prompts(self.config.max_prompt))
        params = script.settings.params(self.generator.params)
        with self._places.admitted() as place:
            given = await self._given.read(first_frames or [], picture)
            try:
                self.generator.stepper.check_params(params)
            except ValueError as error:
                raise as_serve_error(error, "bad_settings") from error
            found: list[str] = []

            def make() -> Stream:
                stream = self.generator.stream(prompts, script.seed, params, given, start=script.start_name)
                if by_hand and self.generator.action_space is not None:
                    stream.act(self.generator.action_space.nothing)  # who plays and touches nothing does nothing, which is known
                if notes:
                    found.extend([] if prompts is None else prompt_notes(self.generator, prompts))
                    found.extend([] if given is None else picture_notes(self.generator, given))
                return stream

            live = await self._open(place, make, max_frames, by_hand=by_hand)
        live.notes = tuple(found)
        return live

    async def restore(self, snapshot: bytes, max_frames: int | None, by_hand: bool = False) -> LiveStream:
        """Goes on with a snapshot.

        Raises:
            ServeError: There is no place, or it cannot be restored.
        """
        with self._places.admitted() as place:
            return await self._open(place, lambda: self.generator.restore(snapshot), max_frames, by_hand=by_hand)

    async def recover(
        self,
        id: str,
        frame: int | None = None,
        max_frames: int | None = None,
        by_hand: bool = False,
        held: Sequence[HeldSince] = (),
    ) -> LiveStream:
        """Goes on with a stream from its snapshot, here, whoever made its frames before.

        Args:
            id: Its name.
            frame: The first frame that is wanted; `None` is the first that the reader may not have.
            max_frames: The stream ends with this frame; `None` is as it was to.
            by_hand: As for `start`.
            held: What was held in the frames before the one that is wanted.

        Raises:
            ServeError: There is no place, no snapshot of such a stream, or none from so early on.
        """
        if id in self.streams:  # the old connection broke, and nobody has noticed yet
            await self.streams[id].close(ServeError(*TAKEN_OVER))
        with self._places.admitted() as place:
            owner = self.host.new_owner()
            kept = await self.host.claim(id, owner)
            if kept is None or (frame is not None and frame < kept.frame):
                message = f"there is no snapshot of session {id[:8]}... from frame {frame or 0} or before; start anew"
                raise ServeError("not_found", message)
            start, stop = kept.frame if frame is None else frame, max_frames or kept.stop
            return await self._open(
                place, lambda: redone(self.generator.restore(kept.data), start, held), stop, start, id, owner, by_hand
            )

    async def branch(self, live: LiveStream, futures: Futures) -> list[LiveStream]:
        """Other futures of a stream; each waits a while to be attached, as long as the stream is there.

        Raises:
            ServeError: There are not enough places, or `Futures.of` refuses; then there is no branch.
        """
        free, number = self._places.free, len(futures.seeds)
        if free < number:
            raise ServeError("server_full", f"got {number} branches; {free} places are free; try again in a while")
        with ExitStack() as stack:
            places = [stack.enter_context(self._places.admitted()) for _ in range(number)]
            streams = await futures.of(live, self.engine)
        span = live.channel.span
        branches = [
            self._make_live(place, stream, Span(stream.next_index, span.stop))
            for place, stream in zip(places, streams, strict=True)
        ]
        loop = asyncio.get_running_loop()
        for branch in branches:
            self._branches[branch.id] = (branch, live)
            loop.call_later(_ATTACH_SECONDS, self._expire, branch.id)
        for branch in branches:
            await branch.keep()  # it may be attached at another server
        return branches

    async def attach(self, id: str, by_hand: bool = False) -> LiveStream:
        """Takes over a branch, also of another server.

        Raises:
            ServeError: There is none of this name any more, or no place here for one of another server.
        """
        if id not in self._branches and self.others is not None:
            return await self.recover(id, by_hand=by_hand)
        if id not in self._branches:
            raise ServeError("not_found", f"there is no branch {id[:8]}... that waits; branch again, and attach at once")
        live, _ = self._branches.pop(id)
        self.streams[live.id] = live
        live.channel.by_hand = by_hand  # nothing is made for a branch that waits
        await self.engine.open(live.channel)
        return live

    async def broadcast(self, live: LiveStream) -> None:
        """Lets a stream play for those who watch it, here and elsewhere."""
        try:
            await live.keep()
        finally:
            self._begin(live.broadcast())

    def find(self, id: str) -> LiveStream:
        """The stream of a name that runs here.

        Raises:
            ServeError: There is none.
        """
        live = self.streams.get(id)
        if live is None:
            raise ServeError("not_found", f"there is no stream {id[:8]}...; it may have ended")
        return live

    async def reach(self, id: str) -> Steerable:
        """The stream of a name that runs here or on another server.

        Raises:
            ServeError: There is none, or it cannot be reached.
        """
        if id not in self.streams and self.others is not None:
            found = await self.others.find(id)
            if found is not None:
                return found
        return self.find(id)

    async def record(self, id: str) -> Recording:
        """What the stream of a name has made so far; also if it has ended, while that is kept.

        Raises:
            ServeError: There is none.
        """
        if id not in self.streams and (kept := self.archive.find(id)) is not None:
            return kept
        stream = self.find(id).channel.stream
        return await self.engine.run(lambda: Recording.of(stream))

    def forget(self, live: LiveStream) -> None:
        """Takes a stream off the list, and ends its branches that nobody has attached."""
        if self.streams.get(live.id) is live:
            del self.streams[live.id]
        for id, (_, parent) in list(self._branches.items()):
            if parent is live:
                self._expire(id)

    async def drain(self) -> None:
        """Takes no more streams, and ends those that run after the latent frame that they are at; each client is told."""
        self._places.closed = True
        gone = ServeError(*DRAINING)
        await asyncio.gather(*(connection.fail(gone) for connection in list(self.connections)))
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                while self.connections:
                    await asyncio.sleep(0.01)
        for live in [*self.streams.values(), *(branch for branch, _ in self._branches.values())]:
            await live.close(gone)
        await self.archive.finish()
        await asyncio.to_thread(self.engine.stop)

    async def _open(
        self,
        place: Place,
        make: Callable[[], Stream],
        max_frames: int | None,
        start: int | None = None,
        id: str | None = None,
        owner: str | None = None,
        by_hand: bool = False,
    ) -> LiveStream:
        try:
            stream = await self.engine.run(make)
        except ValueError as error:
            raise as_serve_error(error, "bad_prompt") from error
        first = stream.next_index
        stop = min(max_frames or self.config.max_frames, self.config.max_frames)
        if stop < first or (stop == first and start is None):
            raise ServeError("bad_message", f"got max_frames {stop} for a stream that goes on with frame {first}; ask for more")
        live = self._make_live(place, stream, Span(first if start is None else start, stop), id, owner)
        live.channel.by_hand = by_hand
        self.streams[live.id] = live
        try:
            await self.engine.open(live.channel)
        except BaseException:
            self.forget(live)
            raise
        return live

    def _make_live(self, place: Place, stream: Stream, span: Span, id: str | None = None, owner: str | None = None) -> LiveStream:
        return LiveStream(self.host, place, Channel(stream, span, self.engine.wake), self.forget, id, owner)

    def _expire(self, id: str) -> None:
        if id in self._branches:
            branch, _ = self._branches.pop(id)
            self._begin(branch.close(drop=True))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the loop itself would forget it
        task.add_done_callback(self._tasks.discard)
