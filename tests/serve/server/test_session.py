"""What follows what on one connection."""

import asyncio
import io

import pytest
import serving
import tiny_bundle
import torch
from serving import OTHER, PROMPT, Running, Socket
from websockets.exceptions import ConnectionClosed

from framecast.data import read_video
from framecast.data.images import decode_image
from framecast.data.video import Mp4Stream
from framecast.serve.cluster.shelf import Shelf
from framecast.serve.protocol.packets import Kind, Packet
from framecast.serve.server.session import Credits


def with_socket(work, store=None, **config):
    """What `work(server, socket)` returns."""

    async def run():
        async with serving.running(store=store, **config) as server, server.socket() as socket:
            return await asyncio.wait_for(work(server, socket), 60)

    return asyncio.run(run())


async def frames(socket: Socket, count: int) -> list[Packet]:
    return [await socket.frame() for _ in range(count)]


async def quiet(socket: Socket, seconds: float = 0.4) -> bool:
    """Whether nothing comes for a while."""
    try:
        await asyncio.wait_for(socket.connection.recv(), seconds)
    except TimeoutError:
        return True
    return False


def pixels(packet: Packet) -> torch.Tensor:
    return torch.from_numpy(decode_image(packet.payload, (16, 24)).copy())


def library(count: int, seed: int = 0) -> list[torch.Tensor]:
    stream = tiny_bundle.generator().stream(PROMPT, seed)
    return [next(stream).image for _ in range(count)]


def test_started_says_what_comes_and_frames_carry_their_place():
    async def work(server, socket):
        started = await socket.start(seed=4, id=11, format="webp")
        return started, await frames(socket, 10)

    started, packets = with_socket(work)
    assert (started["reply_to"], started["seed"], started["frame"], started["format"]) == (11, 4, 0, "webp")
    assert started["settings"]["decoding"] == "row" and started["recoverable"] is False
    assert [packet.index for packet in packets] == list(range(10))
    assert [packet.latent_index for packet in packets] == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert [packet.timestamp for packet in packets[:4]] == [0, 83333, 166667, 250000]
    assert {packet.kind for packet in packets} == {Kind.WEBP}
    assert all(torch.equal(pixels(a), b) for a, b in zip(packets, library(10, 4), strict=True))


def test_no_more_frames_come_than_credit_was_given():
    async def work(server, socket):
        await socket.start(credits=5)
        first = await frames(socket, 5)
        nothing = await quiet(socket)
        await socket.send(type="credit", frames=2)
        return first + await frames(socket, 2), nothing, await quiet(socket)

    packets, nothing, still_nothing = with_socket(work)
    assert [packet.index for packet in packets] == list(range(7))
    assert nothing and still_nothing


def test_shows_comes_right_before_the_frame():
    async def work(server, socket):
        await socket.send(type="start", timeline=[[0, PROMPT], [1, OTHER]], pace="fast")
        return [await socket.next() for _ in range(20)]

    messages = with_socket(work)
    shows = [place for place, message in enumerate(messages) if isinstance(message, dict) and message["type"] == "shows"]
    assert [messages[place]["prompt"] for place in shows] == [PROMPT, OTHER]
    assert [messages[place + 1].index for place in shows] == [messages[place]["frame"] for place in shows] == [0, 9]


def test_pause_lets_nothing_through_and_keeps_the_place():
    async def work(server, socket):
        await socket.start(pace="video")
        await frames(socket, 3)
        paused = await socket.ask(type="pause")
        nothing = await quiet(socket)
        resumed = await socket.ask(type="resume")
        return paused, nothing, resumed, (await socket.frame()).index, server.service.taken

    paused, nothing, resumed, index, taken = with_socket(work)
    assert nothing and taken == 1
    assert paused["frame"] == resumed["frame"] == index == 3


def test_frames_come_at_the_rate_of_the_video():
    async def work(server, socket):
        await socket.start(pace="video")
        await socket.frame()
        started = asyncio.get_running_loop().time()
        await frames(socket, 12)
        return asyncio.get_running_loop().time() - started

    assert 0.9 < with_socket(work) < 10  # a busy machine may be late, none may be early


def test_connection_can_begin_again():
    async def work(server, socket):
        await socket.start(seed=1)
        await frames(socket, 4)
        stopped = await socket.ask(type="stop")
        free = server.service.taken
        started = await socket.start(seed=2, max_frames=3)
        packets = await frames(socket, 3)
        ended = await socket.reply()
        again = await socket.start(seed=2)
        return stopped, free, started, packets, ended, again

    stopped, free, started, packets, ended, again = with_socket(work)
    assert stopped["type"] == "stopped" and stopped["frame"] >= 4 and free == 0
    assert (started["seed"], [packet.index for packet in packets]) == (2, [0, 1, 2])
    assert (ended["type"], ended["frame"], again["type"]) == ("ended", 3, "started")


def test_mp4_comes_in_pieces_that_are_one_file(tmp_path):
    async def work(server, socket):
        await socket.start(format="h264", max_frames=13)
        return await frames(socket, 14)  # every piece holds the frame before

    packets = with_socket(work)
    assert {packet.kind for packet in packets} == {Kind.H264}
    assert [packet.index for packet in packets] == [*range(13), 12]
    assert b"moov" in packets[0].payload and all(packet.payload.count(b"moof") == 1 for packet in packets[1:])
    (tmp_path / "a.mp4").write_bytes(b"".join(packet.payload for packet in packets))
    whole = io.BytesIO()
    mp4 = Mp4Stream(whole, 16, 24, 12.0)
    for image in library(13):
        mp4.write(image.numpy())
    mp4.close()
    (tmp_path / "b.mp4").write_bytes(whole.getvalue())
    assert torch.equal(read_video(tmp_path / "a.mp4").frames, read_video(tmp_path / "b.mp4").frames)


def test_snapshot_of_a_paused_stream_goes_on_where_it_stands():
    async def work(server, socket):
        await socket.start(pace="video", seed=5)
        await frames(socket, 6)
        paused = await socket.ask(type="pause")
        told = await socket.ask(type="snapshot")
        snapshot = await socket.frame()
        await socket.ask(type="stop")
        await socket.send(type="restore", size=len(snapshot.payload), pace="fast")
        await socket.connection.send(snapshot.payload)
        restored = await socket.reply()
        return paused, told, snapshot, restored, await frames(socket, 9)

    paused, told, snapshot, restored, packets = with_socket(work)
    assert snapshot.kind is Kind.SNAPSHOT and told["size"] == len(snapshot.pack())
    assert paused["frame"] == told["frame"] == snapshot.index == restored["frame"] == packets[0].index == 6
    assert restored["seed"] == 5
    assert all(torch.equal(pixels(a), b) for a, b in zip(packets, library(15, 5)[6:], strict=True))


def test_branches_hold_places_until_they_are_attached_or_their_stream_ends():
    async def work(server, socket):
        await socket.start()
        await frames(socket, 2)
        full = await socket.ask(type="branch", seeds=[1, 2, 3])
        branched = await socket.ask(type="branch", seeds=[7])
        taken = server.service.taken
        async with server.socket() as other:
            attached = await other.ask(type="attach", branch=branched["branches"][0], pace="fast")
            first = await other.frame()
            again = await socket.ask(type="branch", seeds=[8])
            await socket.ask(type="stop")
            gone = await other.ask(type="stop")
        await server.until_free()
        return full, branched, taken, attached, first, again, gone

    full, branched, taken, attached, first, again, _ = with_socket(work, slots=1, queue=2)
    assert full["code"] == "server_full" and full["message"].startswith("got 3 branches; 2 places are free")
    assert branched["type"] == "branched" and taken == 2 and again["type"] == "branched"
    assert attached["seed"] == 7 and attached["frame"] == first.index == branched["frame"]


def test_lost_connection_is_taken_up_where_snapshots_are_kept():
    async def work(server: Running, socket: Socket):
        started = await socket.start(seed=6, pace="fast", credits=200)
        assert started["recoverable"]
        packets = await frames(socket, 30)
        await socket.send(type="prompt", prompt=OTHER)
        receipt = None
        while receipt is None or len(packets) < receipt["frame"] + 3:
            message = await socket.next()
            if isinstance(message, Packet):
                packets.append(message)
            elif message["type"] == "prompted":
                receipt = message
        socket.connection.transport.abort()
        wanted = packets[-1].index + 1
        async with server.socket() as other:
            await other.send(type="recover", session=started["session"], frame=wanted, pace="fast")
            again = await other.reply()
            return receipt, packets + await frames(other, 20), again, wanted

    receipt, packets, again, wanted = with_socket(work, store=Shelf(), snapshot_every=4)
    assert again["type"] == "started" and again["frame"] == wanted
    assert [packet.index for packet in packets] == list(range(len(packets)))
    stream = tiny_bundle.generator().stream(PROMPT, 6)
    for packet in packets:
        if not stream.pending and stream.next_index == receipt["frame"]:
            stream.set_prompt(OTHER)
        assert (pixels(packet).int() - next(stream).image.int()).abs().max() <= 1  # see `same` in test_client


def test_answers_tell_which_request_they_are_for():
    async def work(server, socket):
        await socket.start()
        await socket.send(type="pause", id=1)
        await socket.send(type="pause", id=2)
        await socket.send(type="resume", id=3)
        return [await socket.reply() for _ in range(3)]

    replies = with_socket(work)
    assert [(reply["type"], reply["reply_to"]) for reply in replies] == [("paused", 1), ("error", 2), ("resumed", 3)]
    assert replies[1]["code"] == "wrong_state" and replies[1]["fatal"] is False
    assert replies[1]["message"].startswith("got pause while paused; wanted one of branch, control, credit, prompt, resume")


def test_closing_names_the_reason():
    async def work(server, socket):
        await socket.connection.send("{")
        error = await socket.reply()
        with pytest.raises(ConnectionClosed) as closed:
            await socket.next()
        return error, closed.value.rcvd

    error, closing = with_socket(work)
    assert error["fatal"] and error["code"] == closing.reason == "bad_json" and closing.code == 4400


@pytest.mark.parametrize("turns", range(4))
def test_sender_can_be_stopped_while_credit_comes(turns):
    """Where a cancellation was lost, a stream that was stopped was sent until its credit was used up."""

    async def run():
        credits = Credits(most=9, stall_seconds=5)
        sender = asyncio.create_task(credits.wait())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        credits.give(1)
        for _ in range(turns):
            await asyncio.sleep(0)
        ended = sender.done()
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        return ended or sender.cancelled()

    assert asyncio.run(run())


def test_failure_inside_is_told_and_the_place_is_free(monkeypatch):
    async def work(server, socket):
        monkeypatch.setattr(server.service.generator, "stream", lambda *_: [].pop())  # no ValueError, nothing a client can mend
        error = await socket.start()
        with pytest.raises(ConnectionClosed) as closed:
            await socket.next()
        monkeypatch.undo()
        await server.until_free()
        async with server.socket() as other:
            return error, closed.value.rcvd, await other.start()

    error, closing, started = with_socket(work)
    assert error["code"] == closing.reason == "internal" and error["fatal"] and "pop" not in error["message"]
    assert started["type"] == "started"


def test_watcher_of_a_stream_that_has_just_ended_is_let_go():
    async def work(server, socket):
        started = await socket.start()
        live = server.service.find(started["session"])
        await socket.ask(type="stop")
        return await asyncio.wait_for(live.audience.watch().get(), 5)

    assert with_socket(work) is None
