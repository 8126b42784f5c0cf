"""Servers that share a keeper: streams go on at another one, and are reached from any."""

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
import serving
import tiny_bundle
from ray_clusters import running_on_ray
from serving import OTHER, PROMPT, Running, library, same, some
from straight_line import straight_line

from framecast.cli import main
from framecast.serve import Client, ServeError
from framecast.serve.client.dial import Dialler
from framecast.serve.cluster.keeper import ClusterStore, Keeper, Line
from framecast.serve.cluster.neighbours import Neighbours
from framecast.serve.server.folder_store import FolderStore

REPO = Path(__file__).resolve().parents[3]


class Roaming(Client):
    """A client that connects to the first of some servers."""

    def __init__(self, *servers: Running):
        super().__init__(servers[0].url)
        self.servers = list(servers)
        self._dialler = Wandering(self.next_url)

    def next_url(self) -> str:
        return self.servers[0].url


class Full(Roaming):
    """A client that connects to another server each time."""

    def next_url(self) -> str:
        self.servers.append(self.servers.pop(0))
        return super().next_url()


class Wandering(Dialler):
    """Asks anew for each connection where the server is."""

    def __init__(self, next_url: Callable[[], str]):
        self._next_url = next_url

    async def dial(self):
        return await Dialler(self._next_url()).dial()


@asynccontextmanager
async def cluster(number: int = 2, **config) -> AsyncIterator[tuple[Keeper, list[Running]]]:
    """A keeper, and servers in this process that share it."""
    keeper = Keeper()
    async with AsyncExitStack() as stack:
        servers = []
        for place in range(number):
            line, limits = straight_line(keeper), {"snapshot_every": 2, "replicas": number, **config}
            server = await stack.enter_async_context(serving.running(store=ClusterStore(line), name=f"server{place}", **limits))
            server.service.others = neighbours = Neighbours(server.service, line)
            task = asyncio.create_task(neighbours.run())
            stack.callback(task.cancel)
            servers.append(server)
        await asyncio.sleep(0.01)  # all have said that they live
        yield keeper, servers


async def video(http: httpx.AsyncClient, id: str, num_bytes: int) -> bytes:
    """The first bytes of a stream as mp4."""
    data = b""
    async with http.stream("GET", f"/v1/streams/{id}.mp4") as response:
        assert response.status_code == 200, await response.aread()
        async for piece in response.aiter_bytes():
            data += piece
            if len(data) >= num_bytes:
                break
    return data


def test_stream_goes_on_at_another_server_with_its_prompt():
    async def run():
        async with cluster() as (_, servers):
            client = Roaming(*servers)
            async with await client.stream(PROMPT, 3) as stream:
                frames = await some(stream, 9)
                start = await stream.set_prompt(OTHER)
                client.servers.reverse()
                servers[0].cut()  # at once: no frame has to come first
                frames += await some(stream, 60)
                assert stream.recoveries == 1 and servers[1].service.taken == 1
                return start, frames

    start, frames = asyncio.run(run())
    assert same(frames, library(69, changes={start: OTHER}))


def test_four_servers_share_a_folder_and_two_die(tmp_path):
    """Without any keeper: a folder is all that they share."""

    async def play(servers: list[Running], number: int):
        client = Roaming(servers[number], servers[(number + 2) % 4])
        async with await client.stream(PROMPT, number, max_frames=61) as stream:
            frames = await some(stream, 11)
            if number < 2:
                client.servers.reverse()
                servers[number].cut()
            return frames + [frame async for frame in stream], stream.recoveries

    async def run():
        async with AsyncExitStack() as stack:
            running = (
                serving.running(store=FolderStore(tmp_path), name=f"server{number}", snapshot_every=2) for number in range(4)
            )
            servers = [await stack.enter_async_context(each) for each in running]
            return await asyncio.gather(*(play(servers, number) for number in range(4)))

    played = asyncio.run(run())
    assert [recoveries for _, recoveries in played] == [1, 1, 0, 0]
    for seed, (frames, _) in enumerate(played):
        assert len(frames) == 61 and same(frames, library(61, seed=seed), levels=1)


def test_stream_goes_on_again_and_again():
    async def run():
        async with cluster() as (_, servers):
            client = Roaming(*servers)
            async with await client.stream(PROMPT, 3, max_frames=101) as stream:
                frames = []
                for turn, part in enumerate((0, 1, 2, 30, 5, 40)):
                    frames += await some(stream, part)
                    client.servers.reverse()
                    client.servers[1].cut()
                    while stream.recoveries == turn:
                        await asyncio.sleep(0.01)
                return frames + [frame async for frame in stream]

    assert same(asyncio.run(run()), library(101))


def test_what_was_not_answered_is_asked_again():
    async def run():
        async with cluster() as (_, servers):
            client = Roaming(*servers)
            async with await client.stream(PROMPT, 3) as stream:
                frames = await some(stream, 5)
                asked = [asyncio.create_task(stream.set_prompt(OTHER)), asyncio.create_task(stream.snapshot())]
                await asyncio.sleep(0)
                client.servers.reverse()
                servers[0].cut()
                start, snapshot = await asyncio.wait_for(asyncio.gather(*asked), 20)
                restored = tiny_bundle.generator().restore(snapshot)
                return start, frames + await some(stream, 50), [next(restored) for _ in range(5)]

    start, frames, restored = asyncio.run(run())
    changed = next(frame.index for frame in frames if frame.prompt == OTHER)
    assert 5 <= changed <= start and same(frames, library(55, changes={changed: OTHER}))
    assert same(restored, frames[restored[0].index :][:5])


def test_pause_holds_on_another_server():
    async def run():
        async with cluster() as (_, servers):
            client = Roaming(*servers)
            async with await client.stream(PROMPT, 3) as stream:
                frames = await some(stream, 3)
                frames += await some(stream, await stream.pause() - 3)
                client.servers.reverse()
                servers[0].cut()
                while not stream.recoveries:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.3)
                (live,) = servers[1].service.streams.values()
                assert live.channel.paused
                await stream.resume()
                return frames + await some(stream, 40)

    frames = asyncio.run(run())
    assert same(frames, library(len(frames)))


def test_server_that_goes_down_sends_its_streams_on():
    async def run():
        async with cluster() as (_, servers):
            client = Roaming(*servers)
            async with await client.stream(PROMPT, 3) as stream:
                frames = await some(stream, 9)
                client.servers.reverse()
                await servers[0].service.drain()
                frames += await some(stream, 40)
                assert stream.recoveries == 1
                return frames

    assert same(asyncio.run(run()), library(49))


def test_one_connection_takes_over_from_another():
    async def run():
        async with cluster() as (_, servers), servers[0].socket() as old, servers[1].socket() as new:
            session = (await old.start(seed=3, credits=240))["session"]
            frame = (await old.frame()).index
            reply = await new.ask(type="recover", session=session, frame=frame, pace="fast")
            assert (reply["type"], reply["session"], reply["frame"]) == ("started", session, frame)
            assert (await new.frame()).index == frame
            error = await old.reply()
            assert (error["code"], error["fatal"]) == ("wrong_state", True) and "taken this session over" in error["message"]
            await servers[0].until_free()
            for later in range(frame + 1, frame + 20):
                assert (await new.frame()).index == later

    asyncio.run(run())


def test_snapshots_are_dropped_with_the_stream_and_not_with_the_connection():
    async def run():
        async with cluster() as (keeper, servers):
            client = servers[0].client()

            async def until_dropped(session: str) -> None:
                async with asyncio.timeout(5):
                    while await keeper.home(session) is not None:
                        await asyncio.sleep(0.01)

            async with await client.stream(PROMPT) as closed:
                await some(closed, 3)
            async with await client.stream(PROMPT, max_frames=5) as ended:
                await some(ended, 5)
                assert await keeper.home(ended.session) is not None  # its last frames may be on their way
            await until_dropped(closed.session)
            await until_dropped(ended.session)
            async with servers[0].socket() as socket:
                stopped = (await socket.start())["session"]
                assert (await socket.ask(type="stop"))["type"] == "stopped"
                await until_dropped(stopped)
            cut = await client.stream(PROMPT)
            cut._recoverable = False  # as if the client had gone, too
            servers[0].cut()
            await servers[0].until_free()
            assert await keeper.home(cut.session) is not None
            await cut.close()

    asyncio.run(run())


def test_branch_is_attached_anywhere():
    async def run():
        async with cluster() as (_, servers):
            client = Roaming(*servers)
            async with await client.stream(PROMPT, 3) as stream:
                await some(stream, 10)
                client.servers.reverse()
                own, other = await stream.branch([3, 4])
                async with own, other:
                    assert {own.session, other.session} == set(servers[1].service.streams)
                    return await some(own, 20), await some(other, 20)

    own, other = asyncio.run(run())
    start = own[0].index
    past = library(start + 20)[start:]
    assert start >= 10 and same(own, past, levels=1) and not same(other, past, levels=1)


def test_streams_are_reached_through_any_server():
    async def run():
        async with cluster() as (_, servers), servers[1].http() as http:
            async with servers[0].http() as own:
                id = (await own.post("/v1/streams", json={"prompt": PROMPT, "seed": 3})).json()["id"]
            data = await video(http, id, 3_000)
            changed = await http.post(f"/v1/streams/{id}/prompt", json={"prompt": OTHER})
            assert changed.status_code == 200 and changed.json()["prompt"] == OTHER
            refused = await http.post(f"/v1/streams/{id}/prompt", json={"prompt": "circle " * 60})
            assert (refused.status_code, refused.json()["code"]) == (422, "bad_prompt")
            assert servers[0].service.find(id).channel.stream.prompt == OTHER
            assert (await http.delete(f"/v1/streams/{id}")).status_code == 204
            await servers[0].until_free()
            assert (await http.delete(f"/v1/streams/{id}")).status_code == 404
            return data

    with av.open(io.BytesIO(asyncio.run(run()))) as file:
        assert next(file.decode(video=0)).width == tiny_bundle.WIDTH


def test_stream_of_a_lost_server_is_shown_by_another(monkeypatch):
    monkeypatch.setattr("framecast.serve.cluster.keeper._GONE_SECONDS", 0.0)

    async def run():
        async with cluster() as (_, servers):
            async with servers[0].http() as own:
                id = (await own.post("/v1/streams", json={"prompt": PROMPT, "seed": 3})).json()["id"]
            async with servers[1].http() as other:
                assert await video(other, id, 1_000)
            assert id in servers[1].service.streams

    asyncio.run(run())


def test_client_finds_the_server_that_has_room():
    async def run():
        async with cluster(slots=1, queue=0) as (_, servers):
            client = Full(*servers)
            async with await Roaming(servers[1]).stream(PROMPT), await client.stream(PROMPT, 3) as stream:
                frames = await some(stream, 5)
                with pytest.raises(ServeError, match="all 1 places are taken"):
                    await client.stream(PROMPT)
                return frames

    assert same(asyncio.run(run()), library(5))


def test_streams_go_on_without_a_keeper():
    async def run():
        async with cluster() as (_, servers):
            service = servers[0].service
            service.host = replace(service.host, store=ClusterStore(no_line))
            service.others = Neighbours(service, no_line)
            async with await servers[0].client().stream(PROMPT, 3) as stream:
                frames = await some(stream, 9)
                start = await stream.set_prompt(OTHER)
                frames += await some(stream, 30)
                async with servers[0].http() as http:
                    assert (await http.delete("/v1/streams/unknown")).status_code == 503
                return start, frames

    start, frames = asyncio.run(run())
    assert same(frames, library(39, changes={start: OTHER}))


async def no_line(method: str, *arguments):
    raise ConnectionError("nobody is there")


_: Line = no_line


@pytest.fixture(scope="module")
def ray_cluster(tmp_path_factory) -> Iterator[tuple[Client, Any]]:
    """Two replicas in a cluster of this machine: a client, and their keeper."""
    with running_on_ray(tmp_path_factory.mktemp("cluster"), replicas=2, slots=2, queue=0) as found:
        yield found


async def process_of(keeper, session: str) -> int:
    """The number of the process that serves a stream."""
    name, alive = await keeper.home.remote(session)
    assert alive
    return int(name.split(":")[1])


async def begun(http: httpx.AsyncClient) -> str:
    """The name of a new stream; a request that lands on a full replica is sent again."""
    while (made := await http.post("/v1/streams", json={"prompt": PROMPT})).status_code == 503:
        await asyncio.sleep(0.1)
    return made.json()["id"]


@pytest.mark.slow
def test_replicas_share_the_work_and_know_each_other(ray_cluster):
    client, keeper = ray_cluster

    async def run():
        streams = [await client.stream(PROMPT, seed) for seed in range(4)]  # two for each
        frames = [await some(stream, 9) for stream in streams]
        processes = [await process_of(keeper, stream.session) for stream in streams]
        assert sorted(map(processes.count, processes)) == [2, 2, 2, 2]
        with pytest.raises(ServeError, match="all 2 places are taken"):
            await client.stream(PROMPT)
        async with httpx.AsyncClient(base_url=client.url, timeout=30) as http:
            for stream in streams:
                for _ in range(3):  # whichever replica is asked
                    changed = await http.post(f"/v1/streams/{stream.session}/prompt", json={"prompt": OTHER})
                    assert changed.status_code == 200, changed.text
            await streams.pop().close()
            id = await begun(http)
            for _ in range(3):
                assert await video(http, id, 1_000)
            refused = await http.get("/healthz", headers={"Host": "elsewhere.example"})
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden_host")
        for stream in streams:
            await stream.close()
        return frames

    frames = asyncio.run(run())
    assert all(same(made, library(9, seed=seed), levels=1) for seed, made in enumerate(frames))


@pytest.mark.slow
def test_killed_replica_costs_less_than_five_seconds(ray_cluster, record_property):
    client, keeper = ray_cluster

    async def run():
        async with await client.stream(PROMPT, 3) as stream:
            frames = await some(stream, 40)
            start = await stream.set_prompt(OTHER)
            process = await process_of(keeper, stream.session)
            os.kill(process, signal.SIGKILL)
            killed = time.monotonic()
            while not stream.recoveries:
                frames += await some(stream, 1)
            seconds = time.monotonic() - killed
            frames += await some(stream, 100)
            assert await process_of(keeper, stream.session) != process
            return start, frames, seconds

    start, frames, seconds = asyncio.run(run())
    record_property("seconds", seconds)
    print(f"a frame of another replica {seconds:.2f} s after the death of the first")
    assert seconds < 5
    assert same(frames, library(len(frames), changes={start: OTHER}))


def test_command_says_that_ray_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "framecast.serve.cluster.ray", raising=False)
    assert main(["serve", "--replicas", "2"]) == 2
    assert "ray is not installed; wanted it for replicas; pip install '.[ray]'" in capsys.readouterr().err


def test_command_wants_a_port_for_replicas(capsys):
    pytest.importorskip("ray.serve", reason="Ray Serve is not installed: pip install '.[ray]'")
    assert main(["serve", "--replicas", "2", "--port", "0"]) == 2
    assert "got port 0 for more than one replica" in capsys.readouterr().err
