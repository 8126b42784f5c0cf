"""What to type next."""

import json
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from video_folders import SMALL, write_clip

from framecast.data import RandomCrops, SomeClips, SpriteWorld, VideoFolder
from framecast.train import LitVideoTokenizer
from framecast.train.card import Terms
from framecast.train.lm_module import LitVideoLM
from framecast.train.next_steps import after_training


def lines(tmp_path, source, kind=LitVideoLM) -> list[str]:
    """What to type after a training on a source."""
    data = SimpleNamespace(source=source, first_prompts=lambda count: ["a ring falls"])
    module = Mock(spec=kind, data=data, trainer=SimpleNamespace(datamodule=data))
    return [line.strip() for line in after_training(tmp_path / "bundle", module, Terms())]


def evaluation(tmp_path, source) -> str:
    """The line that measures a video LM that was trained on a source."""
    return next(line for line in lines(tmp_path, source) if "framecast evaluate" in line)


@pytest.mark.parametrize("around", [lambda source: source, lambda source: RandomCrops(SomeClips(source, 1), size=8)])
def test_a_bundle_of_videos_is_measured_on_their_folder(tmp_path, monkeypatch, around):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "my videos" / "a.mkv", 12)
    line = evaluation(tmp_path, around(VideoFolder("my videos", **SMALL)))
    assert line.endswith("bundle --real 'my videos'")


def test_a_bundle_of_sprites_needs_no_folder(tmp_path):
    assert evaluation(tmp_path, SpriteWorld(num_clips=2, num_frames=5, size=32)).endswith("bundle")


def test_a_world_is_played_and_measured_as_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "drives" / "a.mkv", 12)
    rows = [{"action_space": {"buttons": [{"name": "gas"}]}}, {"file": "a.mkv", "actions": [[1]] * 12}]
    (tmp_path / "drives" / "actions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = VideoFolder("drives", **SMALL)
    of_lm, of_tokenizer = lines(tmp_path, source), lines(tmp_path, source, LitVideoTokenizer)
    assert f"framecast play {tmp_path / 'bundle'}" in of_lm and of_lm[4].endswith("bundle --world drives")
    wanted = "framecast train fit --config world_lm --data.init_args.source.init_args.root drives --data.init_args.tokenizer "
    assert wanted + str(tmp_path / "bundle") in of_tokenizer
