"""Which snapshots are kept: those that a reader may still need, and no more."""

from framecast.serve.store import Shelf


def test_latest_snapshot_before_a_frame_is_given():
    shelf = Shelf()
    for frame in (0, 40, 80):
        shelf.put("a", frame, bytes([frame]), confirmed=0)
    assert shelf.get("a", 79) == (40, bytes([40]))
    assert shelf.get("a", 80) == (80, bytes([80]))
    assert shelf.get("b", 80) is None


def test_what_the_reader_has_passed_is_forgotten():
    shelf = Shelf()
    for frame, confirmed in ((0, 0), (40, 10), (80, 45)):
        shelf.put("a", frame, b"x", confirmed)
    assert shelf.get("a", 39) is None
    assert shelf.get("a", 79) == (40, b"x")


def test_number_of_snapshots_and_streams_is_bounded():
    shelf = Shelf(most_streams=2)
    for frame in range(100):
        shelf.put("a", frame, b"x", confirmed=0)
    assert shelf.get("a", 83) is None and shelf.get("a", 84) is not None
    for name in "bc":
        shelf.put(name, 0, b"x", 0)
    assert shelf.get("a", 99) is None and shelf.get("b", 0) is not None
    shelf.drop("b")
    assert shelf.get("b", 0) is None
