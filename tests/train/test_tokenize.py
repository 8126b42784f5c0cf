"""Clips become token shards, once."""

from functools import partial

import pytest
import torch
from lm_trainings import prepared, tokens
from played import SPACE, Played

import framecast
from framecast.data import SpriteWorld
from framecast.data.shards import ShardWriter, TokenShards
from framecast.sample import load_bundle
from framecast.tokenizer import VideoTokenizer
from framecast.train.tokenize import write_tokens


def test_shards_hold_what_the_tokenizer_makes(bundle, shards):
    data = prepared(tokens(bundle, shards))
    clip = data.source[5]
    video = framecast.data.to_video(clip.frames)[None]
    assert torch.equal(data.train_tokens[5].tokens, data.bundle.tokenizer.encode(video)[0])
    assert data.train_tokens[5].captions == clip.captions
    assert (len(data.train_tokens), len(data.val_tokens)) == (60, 4)
    assert data.pixels_per_token == 5 * 32 * 32 / (2 * 4 * 4)


def test_an_interrupted_tokenizing_goes_on(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("framecast.train.tokenize.ShardWriter", partial(ShardWriter, clips_per_shard=8))
    tokenizer, encode, calls = load_bundle(bundle).tokenizer, VideoTokenizer.encode, []

    def encode_twice(self, video):
        calls.append(len(video))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return encode(self, video)

    monkeypatch.setattr(VideoTokenizer, "encode", encode_twice)
    clips = SpriteWorld(num_clips=24, num_frames=5, size=32)
    with pytest.raises(KeyboardInterrupt):
        write_tokens(tmp_path, clips, tokenizer, {})
    write_tokens(tmp_path, clips, tokenizer, {})
    assert calls == [8, 8, 8, 8]  # the second one twice
    assert [clip.name for clip in TokenShards(tmp_path)] == [f"sprites/0/{i}" for i in range(24)]


def test_actions_rewards_and_ends_go_to_their_latent_frames(bundle, tmp_path):
    tokenizer = load_bundle(bundle).tokenizer
    write_tokens(tmp_path, Played(2), tokenizer, {}, action_space=SPACE)
    clip = TokenShards(tmp_path)[1]
    assert tokenizer.stride.frames == 4 and clip.actions.shape == (2, 4, 2)
    assert clip.actions[0].isnan().all()  # the first frame and its repetitions
    assert clip.actions[1, :, 1].tolist() == pytest.approx([0.011, 0.012, 0.013, 0.014])
    assert clip.rewards[0].isnan() and clip.rewards[1] == 1 + 2 + 3 + 4
    assert clip.ends.tolist() == [False, True]
