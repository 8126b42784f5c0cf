"""MixedClips: the order, and sources that do not go together."""

import pytest
from played import SPACE, Played

from framecast.data import ActionSpace, Axis, ClipSource, MixedClips, SpriteWorld


def names(source: ClipSource) -> list[str]:
    return [source[index].name for index in range(len(source))]


def test_sources_are_evenly_mixed_and_keep_their_order():
    mixed = MixedClips([Played(8, None, name="a"), Played(4, name="b"), Played(1, None, name="c")])
    assert names(mixed) == ["a0", "b0", "a1", "a2", "b1", "a3", "c0", "a4", "b2", "a5", "a6", "b3", "a7"]
    assert mixed.action_space == SPACE and mixed[0].actions is None and mixed[1].actions.shape == (5, 2)
    assert mixed[-1].name == "a7" and mixed.seconds_of_video == 13 * 5 / 12
    assert mixed.summary().startswith("13 clips of 3 sources: 8 clips of 5 frames at 12 fps")
    with pytest.raises(IndexError, match="clip 13 of 13 mixed clips"):
        mixed[13]


def test_the_fingerprint_is_that_of_all():
    def fingerprint(*counts):
        return MixedClips([Played(count, None) for count in counts]).fingerprint()

    assert fingerprint(3, 4) == fingerprint(3, 4) != fingerprint(4, 3)
    assert "action_space" not in fingerprint(3, 4) and [each["num_clips"] for each in fingerprint(3, 4)["sources"]] == [3, 4]


def test_sources_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="got no source to mix; wanted at least one"):
        MixedClips([])
    with pytest.raises(
        ValueError, match=r"\(5, 32, 32, 12.0\) in source 0 and \(5, 32, 32, 8.0\) in source 1; give all the same"
    ):
        MixedClips([Played(1), Played(1, fps=8.0)])
    with pytest.raises(
        ValueError, match=r"different action spaces, ActionSpace\(gas, steering\) in source 1 and ActionSpace\(x\) in source 2"
    ):
        MixedClips([Played(1, None), Played(1), Played(1, ActionSpace(axes=(Axis("x"),)))])
    MixedClips([SpriteWorld(num_clips=2, num_frames=5, size=32), Played(1)])
