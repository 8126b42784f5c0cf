import pytest

from framecast.data import SomeClips, SpriteWorld

WORLD = SpriteWorld(num_clips=20, num_frames=1, size=32)


def test_clips_are_drawn_once_in_their_order():
    some = SomeClips(WORLD, 5, seed=3)
    names = [some[index].name for index in range(5)]
    assert len(some) == 5 and names == sorted(names, key=lambda name: int(name.rpartition("/")[2])) and len(set(names)) == 5
    assert names == [SomeClips(WORLD, 5, seed=3)[index].name for index in range(5)]
    assert some.fingerprint() != SomeClips(WORLD, 5, seed=4).fingerprint()
    assert some.summary().startswith("5 clips drawn from 20 clips")


def test_a_source_with_fewer_clips_gives_all_of_them():
    assert [clip.name for clip in (SomeClips(WORLD, 99)[i] for i in range(20))] == [WORLD[i].name for i in range(20)]


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="got num_clips 0, seed 0; wanted at least 1 and 0"):
        SomeClips(WORLD, 0)
    with pytest.raises(IndexError, match="clip 5 of 5 drawn clips"):
        SomeClips(WORLD, 5)[5]
