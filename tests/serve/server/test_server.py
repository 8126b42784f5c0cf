"""The command `framecast serve` as a process: how it begins, ends and is told what it may not do."""

import asyncio
import signal
import socket
import subprocess
import sys

import httpx
import pytest
import serving
import tiny_bundle
from serving import PROMPT, WATCHED, Process
from websockets.exceptions import ConnectionClosed

from framecast.cli import main
from framecast.serve import Client, ServeError


@pytest.fixture
def process(tmp_path):
    started = Process(tmp_path)
    yield started
    started.process.kill()


def test_sigterm_ends_streams_by_name_and_the_process_in_order(process):
    async def run():
        client = Client(await process.url())
        async with await client.stream(PROMPT, pace="video") as stream:
            await anext(stream)
            process.process.send_signal(signal.SIGTERM)
            with pytest.raises(ServeError) as caught:
                async for _ in stream:
                    pass
            assert caught.value.code == "draining"

    asyncio.run(run())
    assert process.process.wait(20) in (-signal.SIGTERM, 143, 0)
    assert "Traceback" not in process.log.read_text()


def test_nothing_leaves_the_machine(process):
    """R18: a stream, a video, the page, the schemas - and not one attempt to reach out."""

    async def run():
        url = await process.url()
        assert url.startswith("http://127.0.0.1:")
        async with await Client(url).stream(PROMPT) as stream:
            for _ in range(9):
                await anext(stream)
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            assert (await http.post("/v1/videos/sync", json={"prompt": PROMPT, "num_frames": 9})).status_code == 200
            for path in ("/", "/openapi.json", "/metrics", "/v1/schema.json"):
                assert (await http.get(path)).status_code == 200

    asyncio.run(run())
    process.end()
    assert [line for line in process.log.read_text().splitlines() if line.startswith("EVENT")] == []


def test_control_an_attempt_to_reach_out_is_seen(tmp_path):
    code = WATCHED.split("from framecast")[0] + "import socket\ns = socket.socket()\ns.connect_ex(('127.0.0.1', 9))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "EVENT socket.connect" in run.stderr


def test_address_of_others_needs_a_token(capsys, monkeypatch):
    monkeypatch.delenv("FRAMECAST_TOKEN", raising=False)
    assert main(["serve", "--host", "0.0.0.0"]) == 2
    assert "got --host 0.0.0.0, which other machines can reach, and no token" in capsys.readouterr().err


def test_token_comes_from_a_file_or_the_environment(tmp_path, capsys):
    (tmp_path / "token").write_text("short\n")
    assert main(["serve", "--token_file", str(tmp_path / "token")]) == 2
    assert "got a token that is short" in capsys.readouterr().err
    process = Process(tmp_path, FRAMECAST_TOKEN="a-token-that-is-long")

    async def run():
        url = await process.url()
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.get("/v1/info")).status_code == 401

    try:
        asyncio.run(run())
    finally:
        process.process.kill()


def test_port_that_is_taken_is_said(tmp_path, capsys):
    bundle = tiny_bundle.save(tmp_path / "bundle")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", str(bundle), "--port", str(taken.getsockname()[1])]) == 2
    assert "is the port taken? choose another --port" in capsys.readouterr().err


def test_drained_server_takes_no_more():
    async def run():
        async with serving.running() as server, server.socket() as socket, server.http() as http:
            await socket.start(pace="video")
            drained = asyncio.create_task(server.service.drain())
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await socket.next()
            await drained
            health = await http.get("/healthz")
            return closed.value.rcvd.reason, health.status_code, health.json()["status"]

    assert asyncio.run(run()) == ("draining", 503, "draining")
