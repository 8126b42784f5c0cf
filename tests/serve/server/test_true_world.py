"""A person at the page plays the true environment, and what was played runs again."""

import asyncio
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import torch
from serving import Socket
from small_worlds import ID
from websockets.asyncio.client import connect

from framecast.data.images import decode_image
from framecast.data.worlds import Play, Recording, record, replay_episode, world_spec
from framecast.serve import Client, ServeError
from framecast.serve.protocol.packets import Packet
from framecast.serve.server.page_player import PagePlayer
from framecast.serve.server.true_world import play_at_page

SPEC = world_spec(ID, size=(16, 8), fps=24)


@contextmanager
def recorded(folder, episodes: int = 1, max_frames: int = 8):
    """The page of an environment that is recorded in a thread; what went wrong there is raised at the end."""
    wrong = []

    def work(policy):
        try:
            play = Play("page", max_frames=max_frames)
            for _ in record(folder, SPEC, play, episodes=episodes, lossless=True, policy=policy):
                policy.finish()
        except Exception as error:
            wrong.append(error)

    with play_at_page(SPEC, "a dot", port=0) as (policy, address):
        thread = threading.Thread(target=work, args=[policy], daemon=True)
        thread.start()
        yield address.rstrip("/"), thread
        thread.join(20)
        assert not thread.is_alive()
    assert wrong == []


def with_socket(address: str, work):
    async def run():
        url = address.replace("http", "ws") + "/v1/stream"
        async with connect(url, proxy=None, compression=None) as connection:
            socket = Socket(connection)
            hello = await socket.reply()
            assert hello["type"] == "hello" and hello["bundle"] == ID
            return await asyncio.wait_for(work(socket), 30)

    return asyncio.run(run())


def test_what_is_held_is_done_and_the_episode_runs_again(tmp_path):
    async def work(socket):
        started = await socket.start(pace="play", actions=True)
        packets = [await socket.frame() for _ in range(2)]
        await socket.send(type="control", id=5, buttons=["right"], clock=77.5)
        receipt = None
        while receipt is None or packets[-1].index < receipt["frame"] + 3:
            message = await socket.next()
            if isinstance(message, Packet):
                packets.append(message)
            elif message["type"] == "control_applied":
                receipt = message
        await socket.send(type="stop")
        return started, packets, receipt

    with recorded(tmp_path / "a", max_frames=1000) as (address, _):
        started, packets, receipt = with_socket(address, work)
    assert started["action_space"] == SPEC.action_space.to_json() and started["frame"] == 0
    assert receipt["id"] == 5 and receipt["latent_frame"] == receipt["frame"] >= 1
    recording = Recording(tmp_path / "a")
    (episode,) = recording
    assert recording.about["policy"] == "page" and recording.spec.env_id == ID
    held = [SPEC.action_space.describe(row) for row in episode.actions[1:]]
    assert held == ["nothing"] * (receipt["frame"] - 1) + ["right"] * (len(held) + 1 - receipt["frame"])
    assert len(episode.rewards) == len(episode.ends) == len(episode.actions) >= len(packets)
    assert np.array_equal(replay_episode(recording.spec, episode.seed, episode.actions), episode.frames())
    for packet in packets:
        assert np.array_equal(decode_image(packet.payload, (16, 8)), episode.frames()[packet.index]), packet.index
        told = packet.control and (packet.control.id, packet.control.clock)
        assert told == ((5, 77.5) if packet.index >= receipt["frame"] else None)


def test_episode_ends_where_it_was_to(tmp_path):
    async def work(socket):
        await socket.start(pace="play")
        while (reply := await socket.reply())["type"] != "ended":
            pass
        return reply

    with recorded(tmp_path / "a") as (address, _):
        assert with_socket(address, work)["type"] == "ended"
    assert [len(episode.actions) for episode in Recording(tmp_path / "a")] == [8]


def test_stop_keeps_an_episode_and_the_next_begins(tmp_path):
    async def work(socket):
        for _ in range(2):
            assert (await socket.start(pace="play"))["type"] == "started"
            for _ in range(4):
                await socket.frame()
            paused = await socket.ask(type="pause")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    while True:
                        await socket.next()
            assert paused["type"] == "paused" and (await socket.ask(type="resume"))["type"] == "resumed"
            assert (await socket.frame()).index == paused["frame"]
            assert (await socket.ask(type="stop"))["type"] == "stopped"

    with recorded(tmp_path / "a", episodes=2, max_frames=1000) as (address, _):
        with_socket(address, work)
    first, second = Recording(tmp_path / "a")
    assert 4 < len(first.actions) < 20 and 4 < len(second.actions) < 20 and first.seed != second.seed


def test_who_stops_and_begins_at_once_gets_the_next_episode():
    player, shown, ended = PagePlayer(SPEC.action_space, fps=0.1), [], threading.Event()
    image, told = np.zeros((16, 8, 3), np.uint8), lambda frame: shown.append(frame.index)

    def play():
        with pytest.raises(StopIteration):
            player(image, None, None, SimpleNamespace(num_frames=1))
        ended.set()
        with pytest.raises(StopIteration):
            player(image, None, None, SimpleNamespace(num_frames=1))

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    player.begin(told)
    while not shown:
        time.sleep(0.001)
    player.end(told)  # before that thread has seen the end, the next one begins
    player.begin(told)
    assert ended.wait(5)
    while len(shown) < 2:
        time.sleep(0.001)
    player.end(told)
    thread.join(5)
    assert not thread.is_alive() and shown == [0, 0]


def test_who_goes_away_ends_the_episode_and_a_program_may_play(tmp_path):
    async def play(address):
        async with await Client(address).stream("", pace="play") as stream:
            frames = [await anext(stream) for _ in range(2)]
            begin = await stream.act("left")
            return begin, frames + [await anext(stream) for _ in range(begin)]

    with recorded(tmp_path / "a", max_frames=1000) as (address, _):
        begin, frames = asyncio.run(play(address))
    (episode,) = Recording(tmp_path / "a")
    assert frames[begin].action.tolist() == episode.actions[begin].tolist() == [1, 0]
    assert torch.equal(frames[begin].image, torch.from_numpy(episode.frames()[begin]))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "prompt", "prompt": "a ring"}, "bad_prompt"),
        ({"type": "branch", "seeds": [1]}, "wrong_state"),
        ({"type": "snapshot"}, "wrong_state"),
        ({"type": "control", "id": 1, "buttons": ["jump"]}, "bad_action"),
        ({"type": "start", "prompt": "x", "format": "h264"}, "bad_message"),
        ({"type": "exec"}, "bad_message"),
    ],
)
def test_what_an_environment_cannot_is_refused(message, code):
    with play_at_page(SPEC, port=0) as (_, address):
        reply = with_socket(address.rstrip("/"), lambda socket: socket.ask(**message))
    assert (reply["type"], reply["code"]) == ("error", code)


def test_page_and_greeting_are_served_to_this_machine_alone():
    with play_at_page(SPEC, "a dot", port=0) as (policy, address):
        page, info = httpx.get(address), httpx.get(f"{address}v1/info").json()
        assert "Framecast" in page.text and info["action_space"] == SPEC.action_space.to_json()
        assert (info["opening"], info["temporal_stride"], info["height"], info["width"]) == ("a dot", 1, 16, 8)
        assert httpx.get(address, headers={"Host": "evil.example"}).status_code == 403
        gone = httpx.get(f"{address}v1/streams/environment/video.mp4").json()
        assert gone["code"] == "not_found" and "in the folder of the recording" in gone["message"]
        policy.begin(lambda shown: None)
        with pytest.raises(ServeError, match="got a second person for one environment; wait until the first one stops"):
            policy.begin(lambda shown: None)
        port = int(address.rstrip("/").rsplit(":", 1)[1])
        with pytest.raises(ValueError, match=f"cannot serve at 127.0.0.1:{port}"), play_at_page(SPEC, port=port):
            pass
