"""Snapshots of streams in a folder: whole, of one owner, within bounds, and after the end of the server."""

import asyncio
import os
import signal

import pytest
from serving import OTHER, PROMPT, Process, library, same, some

from framecast.serve import Client
from framecast.serve.server import folder_store
from framecast.serve.server.folder_store import FolderStore
from framecast.serve.server.store import Kept


def kept(frame: int = 0, size: int = 10) -> Kept:
    return Kept(frame, 100, os.urandom(size))


def test_two_servers_that_share_a_folder_see_one_owner(tmp_path):
    async def run():
        one, other = FolderStore(tmp_path), FolderStore(tmp_path)
        snapshot = kept(5)
        assert await one.put("a", "x/1", snapshot) and not await other.put("a", "y/1", kept(6))
        assert await other.claim("a", "y/1") == snapshot
        assert not await one.put("a", "x/1", kept(7)) and await other.put("a", "y/1", kept(8))
        await one.drop("a", "x/1")
        assert (await FolderStore(tmp_path).claim("a", "z/1")).frame == 8

    asyncio.run(run())


def test_names_that_clients_send_are_no_paths(tmp_path):
    async def run():
        store = FolderStore(tmp_path / "inside")
        for name in ("../outside", "/etc/passwd", "a/b", "", "\0", "x" * 5000):
            assert await store.put(name, "x/1", kept())
        assert {path.parent for path in tmp_path.rglob("*.snapshot")} == {tmp_path / "inside"}

    asyncio.run(run())


def test_what_was_kept_longest_ago_is_forgotten(tmp_path, monkeypatch):
    async def run():
        store = FolderStore(tmp_path, most_bytes=3 * 1100)
        for id in "abcd":
            await store.put(id, "x/1", kept(size=1000))
            for path in tmp_path.glob("*.snapshot"):  # a clock that is coarse must not decide
                os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9))
        assert [await store.claim(id, "y/1") is not None for id in "abcd"] == [False, True, True, True]
        monkeypatch.setattr(folder_store, "_SECONDS_KEPT", -1.0)
        await store.put("e", "x/1", kept())
        assert [await store.claim(id, "y/1") for id in "bcde"] == [None] * 4

    asyncio.run(run())


@pytest.mark.parametrize("spoilt", [b"", b"{}\n", b"[1]\n", b"\xff" * 9000, b'{"owner": "x/1", "frame": "?", "stop": 1}\n'])
def test_a_file_that_was_spoilt_is_no_snapshot(tmp_path, spoilt):
    async def run():
        store = FolderStore(tmp_path)
        await store.put("a", "x/1", kept())
        next(tmp_path.glob("*.snapshot")).write_bytes(spoilt)
        assert await store.claim("a", "y/1") is None and await store.put("a", "z/1", kept(3))
        assert (await store.claim("a", "y/1")).frame == 3

    asyncio.run(run())


def test_a_folder_that_is_lost_is_out_of_reach(tmp_path):
    async def run():
        store = FolderStore(tmp_path / "store")
        (tmp_path / "store").rename(tmp_path / "elsewhere")
        for work in (store.put("a", "x/1", kept()), store.claim("a", "x/1"), store.drop("a", "x/1")):
            with pytest.raises(ConnectionError, match=r"the folder .* cannot be used"):
                await work

    asyncio.run(run())
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="for the snapshots of streams; wanted a folder to write to"):
        FolderStore(tmp_path / "file")


def test_a_stream_goes_on_at_the_next_server_after_a_kill(tmp_path):
    """The process is killed, so it can put nothing in order; the next one at its port takes the stream up."""
    first = Process(tmp_path, "--snapshots", str(tmp_path / "store"))

    async def run():
        url = await first.url()
        async with await Client(url).stream(PROMPT, 3, pace="fast") as stream:
            frames = await some(stream, 20)
            start = await stream.set_prompt(OTHER)
            frames += await some(stream, 3)
            first.process.send_signal(signal.SIGKILL)
            first.process.wait(20)
            (tmp_path / "second").mkdir()
            second = Process(tmp_path / "second", "--snapshots", str(tmp_path / "store"), "--port", url.rpartition(":")[2])
            try:
                frames += await some(stream, 30)
                return start, frames, stream.recoveries
            finally:
                second.process.kill()

    try:
        start, frames, recoveries = asyncio.run(run())
    finally:
        first.process.kill()
    assert recoveries >= 1 and same(frames, library(53, changes={start: OTHER}))
