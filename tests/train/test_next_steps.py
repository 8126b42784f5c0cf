"""What to type next."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from video_folders import SMALL, write_clip

from framecast.data import RandomCrops, SomeClips, SpriteWorld, VideoFolder
from framecast.train.card import Terms
from framecast.train.lm_module import LitVideoLM
from framecast.train.next_steps import after_training


def evaluation(tmp_path, source) -> str:
    """The line that measures a video LM that was trained on a source."""
    data = SimpleNamespace(source=source, first_prompts=lambda count: ["a ring falls"])
    module = Mock(spec=LitVideoLM, data=data, trainer=SimpleNamespace(datamodule=data))
    return next(line for line in after_training(tmp_path / "bundle", module, Terms()) if "framecast evaluate" in line)


@pytest.mark.parametrize("around", [lambda source: source, lambda source: RandomCrops(SomeClips(source, 1), size=8)])
def test_a_bundle_of_videos_is_measured_on_their_folder(tmp_path, monkeypatch, around):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "my videos" / "a.mkv", 12)
    line = evaluation(tmp_path, around(VideoFolder("my videos", **SMALL)))
    assert line.endswith("bundle --real 'my videos'")


def test_a_bundle_of_sprites_needs_no_folder(tmp_path):
    assert evaluation(tmp_path, SpriteWorld(num_clips=2, num_frames=5, size=32)).endswith("bundle")
