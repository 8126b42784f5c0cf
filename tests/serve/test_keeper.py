"""What the servers of a cluster share: snapshots with an owner, and letters."""

import asyncio

import pytest

from framecast.serve.keeper import ClusterStore, Keeper, straight_line
from framecast.serve.store import Kept, MemoryStore, Shelf


def kept(frame: int = 0, size: int = 10) -> Kept:
    return Kept(frame, 100, bytes(size))


def test_latest_snapshot_is_the_one():
    shelf = Shelf()
    assert shelf.put("a", "x/1", kept(0)) and shelf.put("a", "x/1", kept(7))
    assert shelf.claim("a", "x/1") == kept(7)
    assert shelf.claim("b", "x/1") is None and shelf.owner("b") is None


def test_who_has_lost_a_stream_can_neither_replace_nor_drop_it():
    shelf = Shelf()
    shelf.put("a", "x/1", kept(0))
    assert shelf.claim("a", "y/2") == kept(0)
    assert not shelf.put("a", "x/1", kept(9))
    shelf.drop("a", "x/1")
    assert shelf.claim("a", "z/3") == kept(0)
    shelf.drop("a", "z/3")
    assert shelf.claim("a", "z/3") is None


def test_shelf_is_bounded():
    shelf = Shelf(most_bytes=35)
    for id in "abcab":
        shelf.put(id, "x/1", kept())
    shelf.put("d", "x/1", kept())  # c was put longest ago
    assert [shelf.owner(id) for id in "abcd"] == ["x/1", "x/1", None, "x/1"]
    shelf.put("e", "x/1", kept(size=36))
    assert [shelf.owner(id) for id in "abcde"] == [None] * 5
    assert shelf.put("f", "x/1", kept(size=35)) and shelf.owner("f")  # what was forgotten does not count


@pytest.mark.parametrize("make", [MemoryStore, lambda: ClusterStore(straight_line(Keeper()))], ids=["memory", "cluster"])
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
    monkeypatch.setattr("framecast.serve.keeper._POLL_SECONDS", 0.01)
    monkeypatch.setattr("framecast.serve.keeper._GONE_SECONDS", 0.1)

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
    monkeypatch.setattr("framecast.serve.keeper._ANSWER_SECONDS", 0.05)

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
