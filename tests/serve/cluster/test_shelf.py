"""Which snapshots are kept: the latest of each stream, for who makes its frames, and no more than there is room for."""

from framecast.serve.server.keeping import Kept, Shelf


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
