"""Token shards with actions, rewards and ends: round trips, what is unknown, and what is refused."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from framecast.data import ActionSpace, Axis, Button, Caption, ShardWriter, TokenClip, TokenShards, write_shards

SPACE = ActionSpace((Button("gas"),), (Axis("steering"),))
META = {"codebook_size": 9}


def clip(index: int, known: str = "") -> TokenClip:
    """A clip of 3 latent frames of 2 frames; `known` names what it has beside its tokens."""
    actions = torch.full((3, 2, 2), index / 10)
    actions[0, 0] = torch.nan
    rewards, ends = torch.tensor([torch.nan, index, 1]), torch.tensor([False, False, index % 2 == 0])
    tokens = torch.full((3, 2, 2), index % 9)
    return TokenClip(
        tokens,
        (Caption(0, ""),),
        str(index),
        actions if "a" in known else None,
        rewards if "r" in known else None,
        ends if "e" in known else None,
    )


def assert_same(found: TokenClip, wanted: TokenClip) -> None:
    for name in ("actions", "rewards", "ends"):
        got, want = getattr(found, name), getattr(wanted, name)
        assert (got is None) == (want is None), name
        if want is not None:
            assert got.dtype == want.dtype and torch.equal(got.nan_to_num(7), want.nan_to_num(7)), name


@pytest.mark.parametrize("clips_per_shard", [1, 2, 3, 9])
def test_steps_come_back_as_they_went_also_mixed_with_clips_without(tmp_path, clips_per_shard):
    clips = [clip(index, known) for index, known in enumerate(["are", "", "a", "re", "", "", "are"])]
    write_shards(tmp_path, clips, meta=META, clips_per_shard=clips_per_shard, action_space=SPACE)
    shards = TokenShards(tmp_path)
    assert shards.action_space == SPACE
    for found, wanted in zip((shards[index] for index in range(7)), clips, strict=True):
        assert_same(found, wanted)
    if clips_per_shard == 1:
        assert set(load_file(tmp_path / "shard-00001.safetensors")) == {"tokens"}


def test_shards_without_actions_are_what_they_were(tmp_path):
    write_shards(tmp_path, [clip(0), clip(1)], meta=META)
    content = json.loads((tmp_path / "index.json").read_text())
    assert set(content) == {"format", "complete", "num_clips", "clips_per_shard", "clip_shape", "meta", "shards"}
    assert set(load_file(tmp_path / "shard-00000.safetensors")) == {"tokens"}
    shards = TokenShards(tmp_path)
    assert shards.action_space is None and shards[0].actions is shards[0].rewards is shards[0].ends is None


def test_shards_of_another_space_are_refused(tmp_path):
    with pytest.raises(ZeroDivisionError), ShardWriter(tmp_path, meta=META, clips_per_shard=1, action_space=SPACE) as writer:
        writer.add(clip(0, "a"))
        raise ZeroDivisionError
    other = ActionSpace((Button("gas"), Button("brake")))
    for space, named in ((other, "the actions gas, brake"), (None, "no actions")):
        with pytest.raises(ValueError, match=f"holds shards of clips with the actions gas, steering; now it is {named}; take"):
            ShardWriter(tmp_path, meta=META, clips_per_shard=1, action_space=space)
    with ShardWriter(tmp_path, meta=META, clips_per_shard=1, action_space=SPACE) as writer:
        assert writer.num_clips == 1
        with pytest.raises(ValueError, match=r"actions of '1' are torch.float32 \[3, 3, 2\]; wanted float32 \[3, 2, 2\]: latent"):
            writer.add(replace(clip(1), actions=torch.zeros(3, 3, 2)))  # the stride of the clips before is known still
        writer.add(clip(1, "a"))
    assert_same(TokenShards(tmp_path)[1], clip(1, "a"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"actions": torch.zeros(3, 2, 5)}, r"wanted float32 \[3, 2, 2\]: latent frames, frames of each, numbers of an action"),
        ({"actions": torch.zeros(3, 2, 2).double()}, "are torch.float64"),
        ({"rewards": torch.zeros(2)}, r"rewards of '0' are torch.float32 \[2\]; wanted torch.float32 \[3\], one a latent frame"),
        ({"ends": torch.zeros(3)}, r"ends of '0' are torch.float32 \[3\]; wanted torch.bool \[3\]"),
    ],
)
def test_steps_of_another_form_are_refused(tmp_path, wrong, message):
    with ShardWriter(tmp_path, meta=META, action_space=SPACE) as writer:
        with pytest.raises(ValueError, match=message):
            writer.add(replace(clip(0), **wrong))
        writer.add(clip(0))
    with ShardWriter(tmp_path / "none", meta=META) as writer:
        with pytest.raises(ValueError, match="'0' has actions, and the shards have no action space; give `action_space`"):
            writer.add(clip(0, "a"))
        writer.add(clip(0))


def test_an_index_that_says_something_else_is_refused(tmp_path):
    write_shards(tmp_path, [clip(0, "are")], meta=META, action_space=SPACE)
    index = tmp_path / "index.json"
    content = json.loads(index.read_text())
    for changes in ({"action_frames": 1}, {"action_space": ActionSpace((Button("gas"),)).to_json()}):
        index.write_text(json.dumps(content | changes))
        with pytest.raises(ValueError, match=r"holds no token clips \(actions F32 \[1, 3, 2, 2\]; wanted F32 \[1, 3,"):
            TokenShards(tmp_path)[0]
    for changes in ({"action_frames": -1}, {"action_space": {"axes": 3}}):
        index.write_text(json.dumps(content | changes))
        with pytest.raises(ValueError, match=r"index.json cannot be read"):
            TokenShards(tmp_path)
