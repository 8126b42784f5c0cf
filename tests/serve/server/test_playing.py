"""A world that is played: what is held is in the frames that are made next, and the same acts make the same tokens."""

import asyncio
import json

import pytest
import serving
import tiny_bundle
import tiny_world
import torch
from serving import Socket
from websockets.exceptions import ConnectionClosed

from framecast.data.images import decode_image
from framecast.sample import StreamBatch, VideoGenerator, read_tokens
from framecast.serve.client.acts import Acts
from framecast.serve.cluster.shelf import Shelf
from framecast.serve.protocol.packets import Kind, Packet

PROMPT = tiny_world.PROMPT
PARTS = tiny_world.tokenizer(), tiny_world.lm(), tiny_bundle.text_tokenizer()
LEFT, NOTHING = {"buttons": ["left"]}, {"buttons": []}


def with_world(work, generator=None, **config):
    """What `work(server, socket)` returns, on a server of the tiny world."""

    async def run():
        async with serving.running(generator or tiny_world.generator(), **config) as server, server.socket() as socket:
            return await asyncio.wait_for(work(server, socket), 60)

    return asyncio.run(run())


async def control(socket: Socket, id: int, **held) -> None:
    await socket.send(type="control", id=id, clock=1000.5 + id, **held)


async def until_applied(socket: Socket, id: int) -> tuple[dict, list[Packet]]:
    """The receipt of a control, and the frames that came before."""
    frames = []
    while True:
        message = await socket.next()
        if isinstance(message, Packet):
            frames.append(message)
        elif message["type"] == "control_applied" and message["id"] == id:
            return message, frames


def test_control_is_applied_and_frames_carry_it():
    async def work(server, socket):
        started = await socket.start(pace="play", actions=True, credits=240)
        packets = [await socket.frame() for _ in range(5)]
        await control(socket, 17, buttons=["left"], axes={"gas": 0.5})
        receipt, before = await until_applied(socket, 17)
        packets += [*before, *[await socket.frame() for _ in range(4)]]
        return started, receipt, packets

    started, receipt, packets = with_world(work)
    assert started["action_space"] == tiny_world.SPACE.to_json() and started["pace"] == "play"
    assert receipt["frame"] == 2 * receipt["latent_frame"] - 1
    for packet in packets:
        told = None if packet.control is None else (packet.control.id, packet.control.clock)
        assert told == ((17, 1017.5) if packet.index >= receipt["frame"] else None), packet.index
    assert [packet.index for packet in packets] == list(range(len(packets)))


def test_an_act_before_the_first_frame_holds_from_the_second_whoever_asks():
    async def work(server, socket):
        await socket.start(pace="play", credits=0)  # so nothing is made
        await control(socket, 1, **LEFT)
        receipt, before = await until_applied(socket, 1)
        await socket.send(type="credit", frames=6)
        return receipt, [*before, *[await socket.frame() for _ in range(4)]]

    receipt, packets = with_world(work)
    alone, seated = (tiny_world.generator().stream(PROMPT) for _ in range(2))
    StreamBatch(tiny_world.generator(), 2).join(seated)
    assert alone.act("left") == seated.act("left") == receipt["frame"] == receipt["latent_frame"] == 1
    assert [packet.control and packet.control.id for packet in packets] == [None, 1, 1, 1]
    assert [frame.action for frame in alone.step()] == [None] and alone.step()[0].action.tolist() == [1, 0, 0]


def test_frames_and_tokens_are_those_of_the_library(tmp_path):
    async def work(server, socket):
        started = await socket.start(seed=5, pace="play", credits=240)
        packets, receipts = [await socket.frame() for _ in range(3)], []
        for id, held in enumerate(({"buttons": ["right"]}, {"axes": {"gas": -1.0}}, LEFT)):
            await control(socket, id, **held)
            receipt, before = await until_applied(socket, id)
            receipts.append((receipt["frame"], held))
            packets += before
        last = receipts[-1][0] + 4
        while packets[-1].index < last:
            packets.append(await socket.frame())
        async with server.http() as http:
            path = f"/v1/streams/{started['session']}"
            tokens = (await http.get(f"{path}/video.fct?frames={last}")).content
            log = (await http.get(f"{path}/actions.ndjson?frames={last}")).text
        return dict(receipts), packets, tokens, log  # of two for one frame, the newer holds

    receipts, packets, tokens, log = with_world(work)
    stream = tiny_world.generator().stream(PROMPT, 5)
    stream.act("")
    for packet in packets:
        if (held := receipts.get(packet.index)) is not None:
            stream.act({**dict.fromkeys(held.get("buttons", []), True), **held.get("axes", {})})
        image = next(stream).image
        assert torch.equal(image, torch.from_numpy(decode_image(packet.payload, (16, 24)).copy())), packet.index
    (tmp_path / "a.fct").write_bytes(tokens)
    video = read_tokens(tmp_path / "a.fct")
    assert torch.equal(video.tokens, stream.tokens[: len(video.tokens)])
    assert torch.equal(video.actions.nan_to_num(9), stream.actions[: len(video.tokens)].nan_to_num(9))
    head, *lines = [json.loads(line) for line in log.splitlines()]
    assert (head["seed"], head["temporal_stride"], head["action_space"]) == (5, 2, tiny_world.SPACE.to_json())
    assert lines[0] == {"frame": 0, "latent_frame": 0, "action": None}
    for frame, held in receipts.items():
        assert lines[frame]["action"] == {"buttons": [], **held}, frame
    assert tiny_world.generator().replay(tmp_path / "a.fct").same


def test_flood_of_controls_leaves_the_newest():
    async def work(server, socket):
        await socket.start(pace="play", credits=240)
        await socket.frame()
        for id in range(60):
            await control(socket, id, **(LEFT if id % 2 else NOTHING))
        receipt, frames = await until_applied(socket, 59)
        applied = {packet.control.id for packet in frames if packet.control}
        return receipt, applied, [await socket.frame() for _ in range(6)], server.service

    receipt, applied, frames, _ = with_world(work)
    assert len(applied) < 20  # most gave way before a latent frame was made
    assert {packet.control.id for packet in frames if packet.index >= receipt["frame"]} == {59}


def test_latent_frame_is_made_when_it_is_due_and_not_ahead():
    async def work(server, socket):
        started = await socket.start(pace="play", credits=240)
        clock = asyncio.get_running_loop()
        stream = server.service.find(started["session"]).channel.stream
        await socket.frame()
        begun, lead = clock.time(), []
        while (frame := await socket.frame()).index < 16:
            lead.append(stream.num_latent_frames - 1 - frame.latent_index)
        return clock.time() - begun, lead

    seconds, lead = with_world(work)
    assert seconds > 11 / 12  # at the rate of the video, but for the first frames, which a busy machine gives late
    assert max(lead) <= 1


def test_what_is_held_anew_is_seen_before_its_time_and_the_rate_stays():
    """A latent frame of this world is due every two seconds."""

    async def work(server, socket):
        clock = asyncio.get_running_loop()
        await socket.start(pace="play", credits=240)
        for _ in range(3):
            await socket.frame()
        begun, times = clock.time(), []
        for id, held in enumerate((LEFT, NOTHING)):
            await control(socket, id, **held)
            await control(socket, id + 10, **held)  # the same again is nothing new
            while (frame := await socket.frame()).control is None or frame.control.id not in (id, id + 10):
                pass
            times.append(clock.time() - begun)
            await socket.frame()  # the other one of the latent frame
        return times

    slow = VideoGenerator(*PARTS, tiny_world.HEIGHT, tiny_world.WIDTH, 1.0, action_space=tiny_world.SPACE)
    first, second = with_world(work, slow)
    assert first < 1.8 and 1 < second - first < 3.5


def test_slow_reader_gets_no_old_frames():
    async def work(server, socket):
        started = await socket.start(pace="play", credits=4)
        frames = [await socket.frame() for _ in range(4)]
        stream = server.service.find(started["session"]).channel.stream
        await asyncio.sleep(0.6)
        waited = stream.num_latent_frames
        await control(socket, 1, **LEFT)
        receipt, _ = await until_applied(socket, 1)  # told at once, though nothing is made
        await socket.send(type="credit", frames=4)
        return waited, receipt, frames + [await socket.frame() for _ in range(4)]

    waited, receipt, frames = with_world(work)
    assert waited <= 3 and [frame.index for frame in frames] == list(range(8))
    assert receipt["latent_frame"] == waited and frames[-1].control.id == 1


def test_pause_holds_the_world_and_a_control_waits_for_it():
    async def work(server, socket):
        await socket.start(pace="play", credits=240)
        await socket.frame()
        paused = await socket.ask(type="pause")
        await control(socket, 3, **LEFT)
        receipt, frames = await until_applied(socket, 3)
        await socket.send(type="resume")
        return paused, receipt, frames, await socket.frame()

    paused, receipt, frames, after = with_world(work)
    assert paused["type"] == "paused" and frames == [] and after.index == paused["frame"]
    assert receipt["frame"] >= paused["frame"]


async def take_snapshot(socket: Socket) -> tuple[dict, Packet]:
    """What is said of a snapshot, and the snapshot; no frame comes between."""
    reply = await socket.ask(type="snapshot")
    while reply["type"] != "snapshotted":
        reply = await socket.reply()
    packet = await socket.next()
    assert isinstance(packet, Packet) and packet.kind is Kind.SNAPSHOT
    return reply, packet


@pytest.mark.parametrize("waits", [False, True], ids=["before it is read", "while it is held"])
def test_snapshot_goes_on_with_what_was_held(waits, tmp_path):
    async def go_on(server, socket, session):
        """Some frames, a control, and what comes of it: the receipt, the pictures, all tokens."""
        await socket.send(type="credit", frames=4)
        pictures = [(await socket.frame()).payload for _ in range(4)]
        await control(socket, 2, axes={"gas": 1.0})
        receipt, _ = await until_applied(socket, 2)
        await socket.send(type="credit", frames=6)
        pictures += [(await socket.frame()).payload for _ in range(6)]
        async with server.http() as http:
            path = f"/v1/streams/{session}/video.fct?frames={receipt['frame'] + 6}"
            return receipt, pictures, (await http.get(path)).content

    async def work(server, socket):
        started = await socket.start(seed=5, pace="play", credits=4)
        for _ in range(4):
            await socket.frame()
        await control(socket, 1, **LEFT)
        if waits:
            await until_applied(socket, 1)
            await socket.send(type="credit", frames=4)
            for _ in range(4):
                await socket.frame()
        said, snapshot = await take_snapshot(socket)
        async with server.socket() as other:
            await other.send(type="restore", size=len(snapshot.payload), pace="play", credits=0)
            await other.connection.send(snapshot.payload)
            restored = await other.reply()
            assert restored["frame"] == said["frame"]
            return [await go_on(server, *one) for one in ((socket, started["session"]), (other, restored["session"]))]

    (receipt, pictures, tokens), again = with_world(work)
    assert again[:2] == (receipt, pictures)
    for name, data in (("a", tokens), ("b", again[2])):
        (tmp_path / f"{name}.fct").write_bytes(data)
    one, other = (read_tokens(tmp_path / f"{name}.fct") for name in "ab")
    length = min(len(one.tokens), len(other.tokens))
    assert torch.equal(one.tokens[:length], other.tokens[:length]) and length > receipt["latent_frame"]
    done = [one.actions[:length], other.actions[:length]]
    assert torch.equal(done[0].nan_to_num(9), done[1].nan_to_num(9))
    assert [1, 0, 0] in done[0].flatten(0, 1).tolist()
    assert done[0][receipt["latent_frame"], 0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("tells", [True, False], ids=["told", "control"])
def test_lost_connection_is_taken_up_with_what_was_held(tells, monkeypatch):
    """The snapshot is of the beginning, so all frames are made again: without what was held they are others."""
    if not tells:
        monkeypatch.setattr(Acts, "seen", property(lambda _: []))

    async def play(server):
        async with await server.client().stream(PROMPT, 3, pace="play") as stream:
            frames, begins = [await anext(stream) for _ in range(4)], {}
            for action in ({"left": True}, {"gas": 1.0}):
                begin = await stream.act(action)
                begins[begin] = action
                frames += [await anext(stream) for _ in range(begin + 3 - len(frames))]
            server.cut()
            frames += [await anext(stream) for _ in range(6)]
            return frames, begins, stream.recoveries

    async def run():
        async with serving.running(tiny_world.generator(), store=Shelf(), snapshot_every=1000) as server:
            return await asyncio.wait_for(play(server), 60)

    frames, begins, recoveries = asyncio.run(run())
    assert recoveries == 1 and [frame.index for frame in frames] == list(range(len(frames)))
    stream = tiny_world.generator().stream(PROMPT, 3)
    stream.act("")
    same = []
    for frame in frames:
        if frame.index in begins:
            stream.act(begins[frame.index])
        same.append(torch.equal(frame.image, next(stream).image))
    assert all(same[:-6]) and all(same) == tells


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"buttons": ["up"]}, "bad_action"),
        ({"buttons": ["left", "right"]}, "bad_action"),
        ({"axes": {"gas": 2}}, "bad_action"),
        ({"buttons": [3]}, "bad_message"),
        ({"id": "x"}, "bad_message"),
    ],
)
def test_bad_control_is_told_and_the_world_goes_on(message, code):
    async def work(server, socket):
        await socket.start(pace="play", credits=240)
        await socket.send(**{"type": "control", "id": 5, **message})
        while (reply := await socket.next()) is not None:
            if isinstance(reply, dict) and reply["type"] == "error":
                break
        return reply, (None if reply["fatal"] else await socket.frame())

    reply, frame = with_world(work)
    assert reply["code"] == code
    assert reply["fatal"] or (reply["reply_to"] == 5 and frame.control is None)


def test_playing_needs_pictures_that_come_at_once():
    async def work(server, socket):
        return await socket.start(pace="play", format="h264")

    reply = with_world(work)
    assert reply["code"] == "bad_message" and "wanted png, webp or jpeg" in reply["message"]


def test_info_says_what_can_be_done():
    async def work(server, socket):
        async with server.http() as http:
            return (await http.get("/v1/info")).json()

    info = with_world(work)
    assert info["action_space"] == tiny_world.SPACE.to_json() and info["limits"]["actions"] == 3
    assert info["opening"] and "starts" not in info and "title" not in info


def test_info_names_the_world():
    async def work(server, socket):
        async with server.http() as http:
            return (await http.get("/v1/info")).json()

    info = with_world(work, title="The ring world")
    assert (info["title"], info["bundle"]) == ("The ring world", "tiny world")


def test_played_streams_are_kept_as_episodes(tmp_path):
    from framecast.data.worlds import Recording
    from framecast.serve.server.journal import open_journal

    async def work(server, socket):
        server.service.archive.journal = open_journal(tmp_path / "games", server.service.generator)
        await socket.start(seed=5, pace="play", credits=240, max_frames=9)
        await socket.frame()
        await control(socket, 1, **LEFT)
        frames = [await socket.frame() for _ in range(8)]
        await socket.reply()
        await socket.start(seed=6, pace="play", credits=1)  # and one that has but a frame
        await socket.frame()
        return frames

    frames = with_world(work)
    recording = Recording(tmp_path / "games")
    (episode,) = [episode for episode in recording if episode.seed == 5]
    actions = episode.actions
    assert len(actions) == 9 and torch.from_numpy(actions[0]).isnan().all()
    for packet in frames:
        assert actions[packet.index, 0] == float(packet.control is not None), packet.index


def test_endless_flood_of_controls_is_cut_off_and_the_server_serves_on():
    async def work(server, socket):
        await socket.start(pace="play", credits=240)
        with pytest.raises(ConnectionClosed) as closed:
            for id in range(1000):
                await control(socket, id, **LEFT)
                await asyncio.sleep(0)
            while True:
                await socket.next()
        async with server.socket() as other:
            await other.start(pace="play")
            return closed.value.rcvd.reason, (await other.frame()).index

    assert with_world(work, message_rate=20) == ("too_many_messages", 0)
