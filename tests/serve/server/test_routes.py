"""What the server answers by HTTP."""

import asyncio

import httpx
import pytest
import serving
import tiny_bundle
import torch
from serving import OTHER, PROMPT

from framecast.data import read_video, write_video
from framecast.data.video import Mp4Stream
from framecast.sample import read_tokens

SCENE = {"prompt": PROMPT, "seed": 3}


def with_server(work, **config):
    async def run():
        async with serving.running(**config) as server, server.http() as http:
            return await asyncio.wait_for(work(server, http), 60)

    return asyncio.run(run())


def test_video_is_that_of_the_library(tmp_path):
    async def work(server, http):
        return [
            await http.post("/v1/videos/sync", json={**SCENE, "num_frames": 17, "format": kind}) for kind in ("mkv", "fct", "mp4")
        ]

    answers = with_server(work)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].headers["x-framecast-seed"] == "3"
    assert [answer.headers["content-type"] for answer in answers][::2] == ["video/x-matroska", "video/mp4"]
    clip = tiny_bundle.generator().generate(PROMPT, 17, 3)
    for name, answer in zip(("a.mkv", "a.fct", "a.mp4"), answers, strict=True):
        (tmp_path / name).write_bytes(answer.content)
    assert torch.equal(read_video(tmp_path / "a.mkv").frames, clip.frames)
    tokens = read_tokens(tmp_path / "a.fct")
    assert torch.equal(tokens.tokens, clip.tokens) and tokens.prompts == ((0, PROMPT),) and tokens.header.seed == 3
    write_video(tmp_path / "b.mp4", clip.frames, 12.0)
    assert torch.equal(read_video(tmp_path / "a.mp4").frames, read_video(tmp_path / "b.mp4").frames)


def test_timeline_is_in_the_token_file(tmp_path):
    async def work(server, http):
        timeline = [[0, PROMPT], [1, OTHER]]
        return await http.post("/v1/videos/sync", json={"timeline": timeline, "num_frames": 21, "format": "fct"})

    (tmp_path / "a.fct").write_bytes(with_server(work).content)
    assert read_tokens(tmp_path / "a.fct").prompts == ((0, PROMPT), (3, OTHER))


def test_full_server_refuses_at_once():
    async def work(server, http):
        async with server.socket() as socket:
            assert (await socket.start())["type"] == "started"
            answer = await http.post("/v1/videos/sync", json=SCENE)
            return answer.status_code, answer.json()["code"], answer.headers["retry-after"]

    assert with_server(work, slots=1, queue=0) == (503, "server_full", "5")


def test_client_that_leaves_frees_its_place():
    async def work(server, http):
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/v1/videos/sync", json={**SCENE, "num_frames": 2001}, timeout=0.3)
        assert server.service.taken == 1 or not server.service.streams
        await server.until_free()

    with_server(work)


def test_stream_is_watched_steered_and_ended(tmp_path):
    async def work(server, http):
        made = (await http.post("/v1/streams", json=SCENE)).json()
        async with http.stream("GET", made["video"]) as watched:
            pieces = watched.aiter_bytes()
            data = await anext(pieces)
            receipt = (await http.post(f"/v1/streams/{made['id']}/prompt", json={"prompt": OTHER})).json()
            while server.service.find(made["id"]).next_index < 30:
                data += await anext(pieces)
            assert (await http.delete(f"/v1/streams/{made['id']}")).status_code == 204
            async for piece in pieces:
                data += piece
        assert (await http.get(made["video"])).status_code == 404
        await server.until_free()
        return receipt, data

    receipt, data = with_server(work)
    assert receipt["prompt"] == OTHER and receipt["frame"] % 4 == 1
    (tmp_path / "a.mp4").write_bytes(data)
    frames = read_video(tmp_path / "a.mp4").frames
    stream, truth = tiny_bundle.generator().stream(PROMPT, 3), []
    while len(truth) < len(frames):
        if not stream.pending and stream.next_index == receipt["frame"]:
            stream.set_prompt(OTHER)
        truth.append(next(stream).image)
    again = Mp4Stream(tmp_path / "b.mp4", 16, 24, 12.0)
    for image in truth:
        again.write(image.numpy())
    again.close()
    assert len(frames) >= 29
    assert torch.equal(frames, read_video(tmp_path / "b.mp4").frames)


def test_session_is_watched_by_others():
    async def work(server, http):
        async with server.socket() as socket:
            started = await socket.start(pace="video", credits=200)
            async with http.stream("GET", started["video"]) as watched:
                await anext(watched.aiter_bytes())
            return (await socket.frame()).index

    assert with_server(work) == 0


def test_health_metrics_and_schemas():
    async def work(server, http):
        async with server.socket() as socket:
            await socket.start(max_frames=9, credits=20)
            while (await socket.reply())["type"] != "ended":
                pass
            await socket.ask(type="prompt", prompt=PROMPT)
            health, metrics = (await http.get("/healthz")).json(), (await http.get("/metrics")).text
        paths = (await http.get("/openapi.json")).json()["paths"]
        return health, metrics, paths, (await http.get("/v1/schema.json")).json(), (await http.get("/v1/info")).json()

    health, metrics, paths, schema, info = with_server(work)
    assert health == {"status": "ok", "sessions": 0, "places": 16}
    for line in (
        "framecast_frames_total 9.0",
        "framecast_first_frame_seconds_count 1.0",
        "framecast_frame_interval_seconds_count 8.0",
        "framecast_sessions 0.0",
        'framecast_refused_total{code="wrong_state"} 1.0',
        "process_resident_memory_bytes",
        "framecast_step_forwards_sum",
    ):
        assert line in metrics
    assert {"/v1/videos/sync", "/v1/streams", "/v1/streams/{id}.mp4", "/healthz", "/metrics"} <= set(paths)
    assert schema["version"] == info["version"] == 1
    assert (info["height"], info["width"], info["fps"], info["temporal_stride"]) == (16, 24, 12.0, 4)
