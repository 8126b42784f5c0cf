"""What the servers of a cluster share: snapshots with an owner, and letters."""

import asyncio

import pytest
from straight_line import straight_line

from framecast.serve.cluster.keeper import ClusterStore, Keeper, LastingStore
from framecast.serve.cluster.shelf import Shelf
from framecast.serve.server.folder_store import FolderStore
from framecast.serve.server.store import Kept


def kept(frame: int = 0, size: int = 10) -> Kept:
    return Kept(frame, 100, bytes(size))


async def broken_line(method: str, *arguments: object) -> None:
    raise ConnectionError(f"no answer to {method}")


STORES = {
    "memory": lambda folder: Shelf(),
    "cluster": lambda folder: ClusterStore(straight_line(Keeper())),
    "folder": lambda folder: FolderStore(folder / "snapshots"),
    "folder and keeper": lambda folder: LastingStore(FolderStore(folder), straight_line(Keeper())),
    "folder, and a keeper that is lost": lambda folder: LastingStore(FolderStore(folder), broken_line),
}


@pytest.mark.parametrize("make", STORES.values(), ids=STORES)
def test_stores_are_shelves(make, tmp_path):
    async def run():
        store = make(tmp_path)
        assert await store.put("a", "x/1", kept(3))
        assert await store.claim("a", "y/1") == kept(3)
        assert not await store.put("a", "x/1", kept(5))
        await store.drop("a", "y/1")
        assert await store.claim("a", "y/1") is None

    asyncio.run(run())


def test_the_keeper_knows_where_a_stream_of_a_folder_is(tmp_path):
    async def run():
        keeper = Keeper()
        store = LastingStore(FolderStore(tmp_path), straight_line(keeper))
        await store.put("a", "x/1", kept(3))
        assert (await keeper.home("a"))[0] == "x" and (await keeper.claim("a", "x/1")).data == b""  # what lies there is no load
        assert await store.claim("a", "y/1") == kept(3) and (await keeper.home("a"))[0] == "y"

    asyncio.run(run())


def test_keeper_knows_where_a_stream_is_and_who_lives(monkeypatch):
    monkeypatch.setattr("framecast.serve.cluster.keeper._POLL_SECONDS", 0.01)
    monkeypatch.setattr("framecast.serve.cluster.keeper._GONE_SECONDS", 0.1)

    async def run():
        keeper = Keeper()
        await keeper.put("a", "x/1", kept())
        assert await keeper.home("a") == ("x", False)
        assert await keeper.receive("x") is None
        assert await keeper.home("a") == ("x", True)
        await asyncio.sleep(0.15)
        assert await keeper.home("a") == ("x", False)
        assert await keeper.home("b") is None

    asyncio.run(run())


def test_letters_come_with_answers(monkeypatch):
    monkeypatch.setattr("framecast.serve.cluster.keeper._ANSWER_SECONDS", 0.05)

    async def run():
        keeper = Keeper()
        asking = asyncio.create_task(keeper.ask("x", "prompt", "a", "red"))
        letter = await keeper.receive("x")
        assert (letter.what, letter.id, letter.arguments) == ("prompt", "a", ("red",))
        await keeper.answer(letter.number, 5)
        assert await asking == 5
        await keeper.answer(letter.number, 6)  # too late, and nobody cares
        with pytest.raises(ConnectionError, match="no answer to ask"):
            await straight_line(keeper)("ask", "y", "prompt", "a")

    asyncio.run(run())
