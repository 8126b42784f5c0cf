"""Tokens with their prompts as the data of a training."""

from dataclasses import replace

import pytest
import tiny
import torch
from lm_trainings import EOS, PAD, VIDEO, fit, prepared, tokens
from played import SPACE, Played

from framecast.data import Caption, CaptionedClip, ClipSource, MixedClips, SpriteWorld
from framecast.data.shards import TokenClip
from framecast.model import VideoLMShape
from framecast.sample import load_bundle, save_bundle
from framecast.tokenizer import TextTokenizer, VideoTokenizer
from framecast.train.token_data import NO_CAPTION, PromptCollate, WithStills


def test_tokens_are_made_once_for_a_source_and_tokenizer_and_anew_for_others(bundle, monkeypatch, tmp_path, capsys):
    encode, made = VideoTokenizer.encode, []
    monkeypatch.setattr(VideoTokenizer, "encode", lambda self, video: made.append(len(video)) or encode(self, video))
    world = {"num_clips": 8, "num_frames": 5, "size": 32}
    first = prepared(tokens(bundle, tmp_path, SpriteWorld(**world)))
    assert sum(made) == 8
    assert prepared(tokens(bundle, tmp_path, SpriteWorld(**world))).fingerprint == first.fingerprint
    assert sum(made) == 8 and "anew" not in capsys.readouterr().err
    second = prepared(tokens(bundle, tmp_path, SpriteWorld(**world, seed=3)))
    assert sum(made) == 16 and second.fingerprint != first.fingerprint
    assert "are made anew, since what they were made of has changed: source.seed" in capsys.readouterr().err
    assert not torch.equal(first.train_tokens[0].tokens, second.train_tokens[0].tokens)
    other = save_bundle(tmp_path / "bundle", tiny.randomise(load_bundle(bundle).tokenizer, 1), video=VIDEO)
    prepared(tokens(other, tmp_path, SpriteWorld(**world, seed=3)))
    assert sum(made) == 24 and "has changed: tokenizer" in capsys.readouterr().err


def test_the_tokenizer_says_where_tokens_are_cut(bundle, tmp_path):
    data = prepared(tokens(bundle, tmp_path, SpriteWorld(num_clips=8, num_frames=5, size=32)))
    cut = data.lm_config(VideoLMShape(factorise_above=1))
    assert cut.codebook_base == data.bundle.tokenizer.codebook_base is not None
    assert data.lm_config(VideoLMShape()).codebook_base is None


class Silent(ClipSource):
    """Clips of which nothing is said."""

    num_frames, height, width, fps = 5, 32, 32, 12.0

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> CaptionedClip:
        return CaptionedClip(torch.full((5, 32, 32, 3), index, dtype=torch.uint8), (Caption(0, ""),), 12.0, str(index))


def test_clips_without_captions_train_the_null_prompt(bundle, tmp_path):
    data = prepared(tokens(bundle, tmp_path, Silent()))
    batch = data._collate([data.train_tokens[0], data.train_tokens[1]])
    assert batch["ids"].tolist() == [[[EOS]], [[EOS]]]
    assert data.text_tokenizer.decode(data.text_tokenizer.encode(NO_CAPTION, 99)) == NO_CAPTION
    assert data.caption == "" and data.amounts["captioned"] == 0


class Alike(Silent):
    """Clips of which every other says what all of them show."""

    def __getitem__(self, index: int) -> CaptionedClip:
        return replace(super().__getitem__(index), captions=(Caption(0, "a car drives" * (index % 2)),))


def test_the_only_caption_is_known(bundle, tmp_path):
    assert prepared(tokens(bundle, tmp_path / "alike", Alike())).caption == "a car drives"
    assert prepared(tokens(bundle, tmp_path / "sprites", SpriteWorld(num_clips=8, num_frames=5, size=32))).caption == ""


def test_batches_hold_prompts_and_their_starts():
    texts = TextTokenizer.train(["a red circle", "it stops"], 300)
    collate = PromptCollate.of(texts, {"a red circle", "it stops"})
    grid = torch.zeros(3, 2, 2, dtype=torch.int64)
    two, one = (Caption(0, "a red circle"), Caption(2, "it stops")), (Caption(0, "it stops"),)
    batch = collate([TokenClip(grid, two, "1"), TokenClip(grid, one, "2")])
    assert batch["tokens"].shape == (2, 3, 2, 2)
    assert batch["starts"].tolist() == [[0, 2], [0, 3]]
    prompts = [[[i for i in ids if i != PAD] for ids in row] for row in batch["ids"].tolist()]
    first, second = texts.encode("a red circle", 99), texts.encode("it stops", 99)
    assert prompts == [[first, second], [second, [EOS]]]


def stills(num_clips: int = 200, **options) -> SpriteWorld:
    return SpriteWorld(**{"num_clips": num_clips, "num_frames": 1, "size": 32, "seed": 9, **options})


def test_every_clip_has_single_frames_of_its_own(bundle, tmp_path):
    source = SpriteWorld(num_clips=12, num_frames=5, size=32)
    data = prepared(tokens(bundle, tmp_path, source, stills=stills(), stills_per_clip=3))
    assert len(data.train_tokens) == 8 and len(data.still_tokens) == 24  # no more than the clips need
    data.trainer.global_rank, data.trainer.world_size = 0, 1
    seen = []
    for batch, _ in zip(data.train_dataloader(), range(4), strict=False):
        assert batch["tokens"].shape == (2, 2, 4, 4) and batch["stills"]["tokens"].shape == (6, 1, 4, 4)
        assert len(batch["stills"]["ids"]) == 6
        seen += [frame for frame in batch["stills"]["tokens"]]
    assert torch.equal(torch.stack(seen).sum(0), torch.stack([clip.tokens for clip in data.still_tokens]).sum(0))  # each one once
    few = prepared(tokens(bundle, tmp_path / "few", source, stills=stills(5), stills_per_clip=3))
    assert [clip.name for clip in WithStills(few.train_tokens, few.still_tokens, 3)[1][1]] == [
        f"sprites/9/{i}" for i in (3, 4, 0)
    ]


@pytest.mark.parametrize(("wrong", "per_clip"), [({"num_frames": 5}, 1), ({"size": 40}, 1), ({}, 0)])
def test_stills_are_single_frames_of_the_clips_size(bundle, tmp_path, wrong, per_clip):
    with pytest.raises(
        ValueError, match=r"got . stills per clip, with .*; wanted at least 1, with \(1, 32, 32\); set `num_frames: 1`"
    ):
        tokens(bundle, tmp_path, stills=stills(**wrong), stills_per_clip=per_clip)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (VideoLMShape(max_prompt_length=3), r"got a caption of \d+ text ids .*; wanted at most 3; raise .*max_prompt_length"),
        (VideoLMShape(sink_frames=0, context_frames=1), None),
    ],
)
def test_captions_must_fit_the_model(bundle, shards, shape, message):
    data = prepared(tokens(bundle, shards))
    if message is None:
        assert data.lm_config(shape).frame_shape == (4, 4)
        return
    with pytest.raises(ValueError, match=message):
        data.lm_config(shape)


def test_clips_must_fit_the_context(bundle, tmp_path):
    data = prepared(tokens(bundle, tmp_path, SpriteWorld(num_clips=8, num_frames=9, size=32)))
    with pytest.raises(ValueError, match=r"got clips of 3 latent frames; wanted at most 2.*context_frames"):
        data.lm_config(VideoLMShape(sink_frames=0, context_frames=1))


def test_clips_that_do_not_fit_are_told_before_they_are_tokenized(bundle, tmp_path, capsys):
    short = ["--model.init_args.lm.sink_frames=0", "--model.init_args.lm.context_frames=1"]
    with pytest.raises((ValueError, SystemExit)) as error:
        fit(tmp_path / "run", bundle, tmp_path / "shards", *short, "--data.init_args.source.init_args.num_frames=9")
    assert "got clips of 3 latent frames; wanted at most 2" in f"{error.value}{capsys.readouterr().err}"
    assert not (tmp_path / "shards").exists()


def test_batches_hold_actions_also_where_none_are_known(bundle, tmp_path):
    mixed = MixedClips([Played(6), Played(6, None, name="silent")])
    data = prepared(tokens(bundle, tmp_path, mixed, stills=Played(8, None, num_frames=1), stills_per_clip=1))
    assert data.action_space == SPACE == data.train_tokens.action_space
    config = data.lm_config(VideoLMShape())
    assert (config.num_actions, config.action_frames) == (2, 4)
    batch = data._collate([data.train_tokens[index] for index in range(4)])
    assert batch["actions"].dtype == torch.float32 and batch["actions"].shape == (4, 2, 4, 2)
    assert batch["actions"].isnan().all(dim=(1, 2, 3)).tolist() == [False, True, False, True]
    assert batch["actions"][2, 1, :, 1].tolist() == pytest.approx([0.011, 0.012, 0.013, 0.014])
    for name, known in (("rewards", 10), ("ends", 1)):
        assert batch[name].dtype == torch.float32 and batch[name][::2, 1].tolist() == [known, known]
        assert batch[name][1::2].isnan().all()
    silent = data._collate([data.train_tokens[1]])
    assert silent["actions"].isnan().all() and "rewards" not in silent and "ends" not in silent
    still = data._collate([data.still_tokens[0]])
    assert still["actions"].shape == (1, 1, 4, 2) and still["actions"].isnan().all()


def test_tokens_are_made_anew_for_other_actions(bundle, tmp_path, capsys):
    prepared(tokens(bundle, tmp_path, Played(6, None)))
    data = prepared(tokens(bundle, tmp_path, Played(6)))
    assert "has changed: actions, source.action_space" in capsys.readouterr().err and data.train_tokens[0].actions is not None
    without = prepared(tokens(bundle, tmp_path, Played(6, None)))
    batch = without._collate([without.train_tokens[0]])
    assert without.action_space is None and "actions" not in batch and without.lm_config(VideoLMShape()).num_actions == 0
