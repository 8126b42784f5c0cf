"""Videos as jobs: asked for, looked at, fetched, deleted; the dialect is that of OpenAI's clients."""

import asyncio
import io
import tempfile

import pytest
import serving
import tiny_bundle
import torch
from PIL import Image
from serving import PROMPT

from framecast.data import read_video, write_video

JOB = {"prompt": PROMPT, "seed": 3, "num_frames": 17}


def with_server(work, **config):
    async def run():
        async with serving.running(**config) as server, server.http() as http:
            return await asyncio.wait_for(work(server, http), 60)

    return asyncio.run(run())


async def until(http, id: str, *statuses: str) -> dict:
    """How a job stands as soon as its status is one of these."""
    while (job := (await http.get(f"/v1/videos/{id}")).json())["status"] not in statuses:
        await asyncio.sleep(0.02)
    return job


def test_a_job_becomes_the_video_of_the_library(tmp_path):
    async def work(server, http):
        created = (await http.post("/v1/videos", json=JOB)).json()
        done = await until(http, created["id"], "completed", "failed")
        video = await http.get(f"/v1/videos/{created['id']}/content")
        await server.until_free()
        return created, done, video

    created, done, video = with_server(work)
    assert created["object"] == "video" and created["status"] == "queued" and created["progress"] == 0
    assert created["size"] == "24x16" and created["seconds"] == "1.417" and created["seed"] == 3
    assert done["status"] == "completed" and done["progress"] == 100 and done["error"] is None
    assert done["expires_at"] >= done["completed_at"] + 3599
    assert video.headers["content-type"] == "video/mp4"
    (tmp_path / "a.mp4").write_bytes(video.content)
    write_video(tmp_path / "b.mp4", tiny_bundle.generator().generate(PROMPT, 17, 3).frames, 12.0)
    assert torch.equal(*(read_video(tmp_path / name).frames for name in ("a.mp4", "b.mp4")))


def test_a_form_says_the_same_as_json_and_may_bring_a_picture(tmp_path):
    picture = io.BytesIO()
    Image.new("RGB", (48, 32), (200, 30, 30)).save(picture, "PNG")
    fields = {"prompt": PROMPT, "seconds": "1", "seed": "3", "size": "24x16", "guidance_scale": "1.5"}

    async def work(server, http):
        plain = (await http.post("/v1/videos", data=fields)).json()
        shown = (await http.post("/v1/videos", data=fields, files={"input_reference": picture.getvalue()})).json()
        done = [await until(http, each["id"], "completed", "failed") for each in (plain, shown)]
        return done, [(await http.get(f"/v1/videos/{each['id']}/content")).content for each in done]

    done, videos = with_server(work)
    assert [each["status"] for each in done] == ["completed"] * 2
    assert [each["num_frames"] for each in done] == [13, 13]  # 1 + 4k nearest to twelve
    frames = []
    for index, video in enumerate(videos):
        (tmp_path / f"{index}.mp4").write_bytes(video)
        frames.append(read_video(tmp_path / f"{index}.mp4").frames)
    assert [len(each) for each in frames] == [13, 13]
    assert not torch.equal(*frames)


def test_jobs_wait_for_a_place_in_order_and_streams_go_first():
    async def work(server, http):
        async with server.socket() as socket:
            await socket.start()
            ids = [(await http.post("/v1/videos", json=JOB)).json()["id"] for _ in range(2)]
            await asyncio.sleep(0.3)
            waiting = [(await http.get(f"/v1/videos/{id}")).json()["status"] for id in ids]
        first = await until(http, ids[0], "completed", "failed")
        second = await until(http, ids[1], "completed", "failed")
        return waiting, first, second

    waiting, first, second = with_server(work, slots=1, queue=0)
    assert waiting == ["queued", "queued"]
    assert (first["status"], second["status"]) == ("completed", "completed")
    assert first["completed_at"] <= second["completed_at"]


def test_jobs_are_listed_the_newest_first_in_pages():
    async def work(server, http):
        ids = [(await http.post("/v1/videos", json=JOB)).json()["id"] for _ in range(3)]
        first = (await http.get("/v1/videos", params={"limit": 2})).json()
        rest = (await http.get("/v1/videos", params={"limit": 2, "after": first["last_id"]})).json()
        return ids, first, rest

    ids, first, rest = with_server(work)
    assert [job["id"] for job in first["data"]] == ids[:0:-1] and first["has_more"] is True
    assert [job["id"] for job in rest["data"]] == ids[:1] and rest["has_more"] is False
    assert first["object"] == "list" and first["first_id"] == ids[2]


def test_a_deleted_job_stops_and_gives_its_place_back():
    async def work(server, http):
        id = (await http.post("/v1/videos", json={**JOB, "num_frames": 2001})).json()["id"]
        await until(http, id, "in_progress")
        early = await http.get(f"/v1/videos/{id}/content")
        gone = (await http.delete(f"/v1/videos/{id}")).json()
        await server.until_free()
        return early, gone, id, (await http.get(f"/v1/videos/{id}")).status_code

    early, gone, id, status = with_server(work)
    assert early.status_code == 409 and "ask until it is completed" in early.json()["message"]
    assert gone == {"id": id, "object": "video.deleted", "deleted": True}
    assert status == 404


def test_videos_are_thrown_away_after_a_while_and_if_there_are_too_many():
    async def work(server, http):
        first, second = [(await http.post("/v1/videos", json=JOB)).json()["id"] for _ in range(2)]
        await until(http, second, "completed")
        third = (await http.post("/v1/videos", json=JOB)).json()["id"]
        kept = [(await http.get(f"/v1/videos/{id}")).status_code for id in (first, second, third)]
        await until(http, third, "completed")
        await asyncio.sleep(2.1)
        return kept, (await http.get("/v1/videos")).json()["data"]

    kept, left = with_server(work, max_jobs=2, job_seconds=1.0)
    assert kept[0] == 404 and kept[2] == 200
    assert left == []


def test_a_server_with_too_many_unfinished_jobs_refuses():
    async def work(server, http):
        async with server.socket() as socket:
            await socket.start()
            answers = [await http.post("/v1/videos", json=JOB) for _ in range(3)]
        return [answer.status_code for answer in answers], answers[2].json()

    statuses, refused = with_server(work, slots=1, queue=0, max_jobs=2)
    assert statuses == [200, 200, 503]
    assert refused["code"] == "server_full" and refused["error"]["type"] == "server_error"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"model": "sora-2"}, "not_found", "got model sora-2; wanted"),
        ({"size": "1280x720"}, "bad_message", "got size 1280x720; wanted 24x16, the only one here"),
        ({"size": "big"}, "bad_message", "a problem at size"),
        ({"fps": 24}, "bad_message", "got fps 24.0; wanted 12.0"),
        ({"num_frames": 16}, "bad_message", "16 frames"),
        ({"num_frames": 4001}, "bad_message", "wanted at most 2001"),
        ({"seconds": 4}, "bad_message", "got both num_frames and seconds"),
        ({"num_frames": None, "seconds": 1e9}, "bad_message", "wanted at most 166.8"),
        ({"num_inference_steps": 50}, "bad_message", "a problem at num_inference_steps: Extra inputs are not permitted"),
        ({"temperature": 99}, "bad_settings", "temperature"),
        ({"prompt": "x" * 501}, "bad_prompt", "got a prompt of 501 letters"),
        ({"seed": -1}, "bad_message", "a problem at seed"),
    ],
)
def test_what_the_model_cannot_make_is_refused_at_once(change, code, words):
    async def work(server, http):
        answer = await http.post("/v1/videos", json={**JOB, **change})
        return answer.status_code, answer.json(), (await http.get("/v1/videos")).json()["data"]

    status, body, jobs = with_server(work)
    assert body["code"] == body["error"]["code"] == code and words in body["error"]["message"]
    assert status >= 400 and jobs == []
    assert body["error"]["type"] == ("not_found_error" if status == 404 else "invalid_request_error")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"'])
def test_a_body_that_is_no_job_is_named(body):
    async def work(server, http):
        return (await http.post("/v1/videos", content=body)).json()["code"]

    assert with_server(work) in ("bad_json", "bad_message")


def test_another_file_than_a_picture_is_named():
    async def work(server, http):
        wrong = await http.post("/v1/videos", data={"prompt": PROMPT}, files={"other": b"x"})
        id = (await http.post("/v1/videos", data={"prompt": PROMPT}, files={"input_reference": b"no picture"})).json()["id"]
        return wrong.json(), await until(http, id, "completed", "failed"), await http.get(f"/v1/videos/{id}/content")

    wrong, failed, content = with_server(work)
    assert "wanted input_reference, a picture to go on from" in wrong["message"]
    assert failed["status"] == "failed" and failed["error"]["code"] == "bad_frames"
    assert content.status_code == 409 and "the video failed" in content.json()["message"]


def test_the_model_is_listed():
    async def work(server, http):
        listed = (await http.get("/v1/models")).json()
        name = listed["data"][0]["id"]
        return listed, (await http.get(f"/v1/models/{name}")).json(), (await http.get("/v1/models/none")).json()

    listed, one, none = with_server(work)
    assert listed["object"] == "list" and listed["data"] == [one] and one["object"] == "model"
    assert none["error"]["code"] == "not_found"


def test_a_server_that_goes_down_ends_its_jobs_and_leaves_no_file(tmp_path, monkeypatch):
    async def run():
        async with serving.running() as server, server.http() as http:
            id = (await http.post("/v1/videos", json={**JOB, "num_frames": 2001})).json()["id"]
            await until(http, id, "in_progress")
        return server.service.taken

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert asyncio.run(asyncio.wait_for(run(), 30)) == 0
    assert not list(tmp_path.iterdir())
