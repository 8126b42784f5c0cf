"""What the servers of a cluster share: snapshots with an owner, and letters."""

import asyncio

import pytest
from straight_line import straight_line

from framecast.serve.cluster.keeper import ClusterStore, Keeper
from framecast.serve.cluster.shelf import Shelf
from framecast.serve.server.store import Kept


def kept(frame: int = 0, size: int = 10) -> Kept:
    return Kept(frame, 100, bytes(size))


@pytest.mark.parametrize("make", [Shelf, lambda: ClusterStore(straight_line(Keeper()))], ids=["memory", "cluster"])
def test_stores_are_shelves(make):
    async def run():
        store = make()
        assert await store.put("a", "x/1", kept(3))
        assert await store.claim("a", "y/1") == kept(3)
        assert not await store.put("a", "x/1", kept(5))
        await store.drop("a", "y/1")
        assert await store.claim("a", "y/1") is None

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
