"""Which snapshots are kept: the latest of each stream, for who makes its frames, and no more than there is room for."""

import asyncio

from framecast.serve.cluster.shelf import Shelf
from framecast.serve.server.store import Kept


def kept(frame: int = 0, size: int = 10) -> Kept:
    return Kept(frame, 100, bytes(size))


def test_latest_snapshot_is_the_one():
    async def run():
        shelf = Shelf()
        assert await shelf.put("a", "x/1", kept(0)) and await shelf.put("a", "x/1", kept(7))
        assert await shelf.claim("a", "x/1") == kept(7)
        assert await shelf.claim("b", "x/1") is None and shelf.owner("b") is None

    asyncio.run(run())


def test_who_has_lost_a_stream_can_neither_replace_nor_drop_it():
    async def run():
        shelf = Shelf()
        await shelf.put("a", "x/1", kept(0))
        assert await shelf.claim("a", "y/2") == kept(0)
        assert not await shelf.put("a", "x/1", kept(9))
        await shelf.drop("a", "x/1")
        assert await shelf.claim("a", "z/3") == kept(0)
        await shelf.drop("a", "z/3")
        assert await shelf.claim("a", "z/3") is None

    asyncio.run(run())


def test_shelf_is_bounded():
    async def run():
        shelf = Shelf(most_bytes=35)
        for id in "abcab":
            await shelf.put(id, "x/1", kept())
        await shelf.put("d", "x/1", kept())  # c was put longest ago
        assert [shelf.owner(id) for id in "abcd"] == ["x/1", "x/1", None, "x/1"]
        await shelf.put("e", "x/1", kept(size=36))
        assert [shelf.owner(id) for id in "abcde"] == [None] * 5
        assert await shelf.put("f", "x/1", kept(size=35)) and shelf.owner("f")  # what was forgotten does not count

    asyncio.run(run())
