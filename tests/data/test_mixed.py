"""MixedClips: the order, and sources that do not go together."""

import pytest
import torch

from framecast.data import ActionSpace, Axis, Button, Caption, CaptionedClip, ClipSource, MixedClips, SpriteWorld

SPACE = ActionSpace((Button("gas"),))


class Played(ClipSource):
    """Grey clips, with actions if there is a space."""

    num_frames, height, width = 2, 32, 32

    def __init__(self, name: str, num_clips: int, space: ActionSpace | None = None, fps: float = 12.0):
        self.name, self.num_clips, self.action_space, self.fps = name, num_clips, space, fps

    def __len__(self) -> int:
        return self.num_clips

    def __getitem__(self, index: int) -> CaptionedClip:
        actions = None if self.action_space is None else torch.ones(2, self.action_space.size)
        frames = torch.full((2, 32, 32, 3), 99, dtype=torch.uint8)
        return CaptionedClip(frames, (Caption(0, ""),), self.fps, f"{self.name}{index}", actions=actions)


def names(source: ClipSource) -> list[str]:
    return [source[index].name for index in range(len(source))]


def test_sources_are_evenly_mixed_and_keep_their_order():
    mixed = MixedClips([Played("a", 8), Played("b", 4, SPACE), Played("c", 1)])
    assert names(mixed) == ["a0", "b0", "a1", "a2", "b1", "a3", "c0", "a4", "b2", "a5", "a6", "b3", "a7"]
    assert mixed.action_space == SPACE and mixed[0].actions is None and mixed[1].actions.shape == (2, 1)
    assert mixed[-1].name == "a7" and mixed.seconds_of_video == 13 * 2 / 12
    assert mixed.summary().startswith("13 clips of 3 sources: 8 clips of 2 frames at 12 fps")
    with pytest.raises(IndexError, match="clip 13 of 13 mixed clips"):
        mixed[13]


def test_the_fingerprint_is_that_of_all():
    def fingerprint(*counts):
        return MixedClips([Played(str(count), count) for count in counts]).fingerprint()

    assert fingerprint(3, 4) == fingerprint(3, 4) != fingerprint(4, 3)
    assert "action_space" not in fingerprint(3, 4) and [each["num_clips"] for each in fingerprint(3, 4)["sources"]] == [3, 4]


def test_sources_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="got no source to mix; wanted at least one"):
        MixedClips([])
    with pytest.raises(
        ValueError, match=r"\(2, 32, 32, 12.0\) in source 0 and \(2, 32, 32, 8.0\) in source 1; give all the same"
    ):
        MixedClips([Played("a", 1), Played("b", 1, fps=8.0)])
    with pytest.raises(
        ValueError, match=r"different action spaces, ActionSpace\(gas\) in source 1 and ActionSpace\(x\) in source 2"
    ):
        MixedClips([Played("a", 1), Played("b", 1, SPACE), Played("c", 1, ActionSpace(axes=(Axis("x"),)))])
    MixedClips([SpriteWorld(num_clips=2, num_frames=2, size=32), Played("b", 1, SPACE)])
