"""What a stream has shown can be saved, while it runs and after: a video, a token file."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import serving
import tiny_bundle
import torch
from serving import OTHER, PROMPT

import framecast
from framecast.data import read_video
from framecast.sample import TokenWriter, read_tokens

TOKEN = "a-token-that-is-long"


@asynccontextmanager
async def playing(num_frames: int, max_frames: int | None = None, **config):
    """A server, a connection whose stream has sent so many frames, and the stream's path."""
    async with serving.running(**config) as server, server.socket() as socket:
        started = await socket.start(seed=3, max_frames=max_frames, credits=240)
        for _ in range(num_frames):
            await socket.frame()
        yield server, socket, f"/v1/streams/{started['session']}"


async def fetch(server, path, **options):
    async with server.http() as http:
        return await http.get(path, **options)


def saved(tmp_path, response, suffix: str):
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"] == f'attachment; filename="framecast-3.{suffix}"'
    path = tmp_path / f"video.{suffix}"
    path.write_bytes(response.content)
    return path


def test_running_stream_is_saved_as_tokens(tmp_path):
    async def run():
        async with playing(9) as (server, socket, path):
            changed = await socket.ask(type="prompt", prompt=OTHER)
            while (await socket.frame()).index < changed["frame"]:
                pass
            return changed["frame"], await fetch(server, f"{path}/video.fct")

    frame, response = asyncio.run(run())
    video = read_tokens(saved(tmp_path, response, "fct"))
    assert video.whole and video.header.seed == 3
    assert video.prompts == ((0, PROMPT), ((frame - 1) // 4 + 1, OTHER))
    stream = tiny_bundle.generator().stream(video.timeline(), 3)
    while stream.next_index < video.num_frames:
        next(stream)
    assert torch.equal(stream.tokens, video.tokens)


@pytest.mark.parametrize("num_frames", [1, 6, 9])
def test_only_what_was_shown_is_saved(tmp_path, num_frames):
    async def run():
        async with playing(9) as (server, _, path):
            return [await fetch(server, f"{path}/video.{kind}?frames={num_frames}") for kind in ("mp4", "fct")]

    mp4, fct = asyncio.run(run())
    assert len(read_video(saved(tmp_path, mp4, "mp4")).frames) == num_frames
    assert read_tokens(saved(tmp_path, fct, "fct")).num_frames == {1: 1, 6: 9, 9: 9}[num_frames]


def test_saved_video_is_the_one_that_was_shown(tmp_path):
    async def run():
        async with playing(33) as (server, _, path):
            return await fetch(server, f"{path}/video.mp4?frames=33")

    clip = tiny_bundle.generator().generate(PROMPT, 33, 3)
    clip.save(tmp_path / "clip.mp4")
    response = asyncio.run(run())
    assert torch.equal(read_video(saved(tmp_path, response, "mp4")).frames, read_video(tmp_path / "clip.mp4").frames)


@pytest.mark.parametrize("end", ["stop", "last frame"])
def test_ended_stream_can_be_saved_until_the_next_one(tmp_path, end):
    async def run():
        async with playing(9, 9 if end == "last frame" else None) as (server, socket, path):
            if end == "stop":
                assert (await socket.ask(type="stop"))["type"] == "stopped"
            else:
                assert (await socket.reply())["type"] == "ended"
            kept = await fetch(server, f"{path}/video.fct?frames=9")
            await socket.start()
            return kept, await fetch(server, f"{path}/video.fct")

    kept, gone = asyncio.run(run())
    assert read_tokens(saved(tmp_path, kept, "fct")).num_frames == 9
    assert gone.status_code == 404 and gone.json()["code"] == "not_found"


def test_nothing_is_kept_of_a_connection_that_is_gone():
    async def run():
        async with serving.running() as server:
            async with server.socket() as socket:
                started = await socket.start()
                await socket.frame()
                await socket.ask(type="stop")
            await asyncio.sleep(0.1)
            assert server.service.archive.find(started["session"]) is None
            return await fetch(server, f"/v1/streams/{started['session']}/video.fct")

    assert asyncio.run(run()).status_code == 404


def test_branch_holds_the_past(tmp_path):
    async def run():
        async with playing(9) as (server, socket, _), server.socket() as other:
            (branch,) = (await socket.ask(type="branch", seeds=[3]))["branches"]
            await other.ask(type="attach", branch=branch, pace="fast")
            await other.frame()
            return await fetch(server, f"/v1/streams/{branch}/video.fct?frames=13")

    video = read_tokens(saved(tmp_path, asyncio.run(run()), "fct"))
    assert torch.equal(video.tokens, tiny_bundle.generator().generate(PROMPT, 13, 3).tokens)


def test_saving_wants_the_token_though_watching_does_not(tmp_path):
    async def run():
        async with serving.running(token=TOKEN) as server, server.socket(subprotocols=[f"bearer.{TOKEN}"]) as socket:
            path = f"/v1/streams/{(await socket.start(seed=3))['session']}/video.mp4"
            await socket.frame()
            refused = await fetch(server, path)
            return refused, await fetch(server, path, headers={"Authorization": f"Bearer {TOKEN}"})

    refused, taken = asyncio.run(run())
    assert refused.status_code == 401
    saved(tmp_path, taken, "mp4")


@pytest.mark.parametrize(("path", "status"), [("video.gif", 400), ("video.mp4?frames=0", 400), ("../none/video.mp4", 404)])
def test_what_cannot_be_saved_is_refused(path, status):
    async def run():
        async with playing(1) as (server, _, stream):
            return await fetch(server, f"{stream}/{path}")

    assert asyncio.run(run()).status_code == status


def test_tokens_become_the_video_again(tmp_path):
    async def run():
        async with playing(9) as (server, socket, path):
            tokens = (await fetch(server, f"{path}/video.fct?frames=9")).content
            await socket.ask(type="stop")
            async with server.http() as http:
                return tokens, await http.post("/v1/videos/decode", content=tokens)

    _, response = asyncio.run(run())
    assert response.headers["content-type"] == "video/mp4"
    assert len(read_video(saved(tmp_path, response, "mp4")).frames) == 9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: b"x", "the token file is no token file; wanted one that `framecast encode`"),
        (lambda data: data[:40], "the token file ends before it says what it holds"),
    ],
)
def test_other_bytes_are_refused(change, words):
    async def run():
        async with playing(5) as (server, _, path):
            tokens = (await fetch(server, f"{path}/video.fct")).content
            async with server.http() as http:
                return (await http.post("/v1/videos/decode", content=change(tokens))).json()

    answer = asyncio.run(run())
    assert answer["code"] == "bad_message" and answer["message"].startswith(words)


def test_tokens_of_another_tokenizer_are_refused(tmp_path):
    generator = framecast.load_generator()
    clip = generator.generate(PROMPT, 5)
    with TokenWriter(tmp_path / "other.fct", generator.codec.header(0)) as writer:
        writer.append_all(clip.tokens, ((0, PROMPT),))

    async def run():
        async with serving.running() as server, server.http() as http:
            return (await http.post("/v1/videos/decode", content=(tmp_path / "other.fct").read_bytes())).json()

    answer = asyncio.run(run())
    assert answer["code"] == "bad_message" and "use the bundle that made them" in answer["message"]


def test_known_words_are_told():
    async def run():
        async with serving.running() as server:
            return (await fetch(server, "/v1/words")).json()

    assert asyncio.run(run()) == {"words": sorted("a blue circle falls moves red right ring square up".split())}
