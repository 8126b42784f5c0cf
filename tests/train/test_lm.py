"""The training of a video LM: what it predicts from what, what it disturbs, and whole runs of the tiny configuration."""

import math
import os
import signal
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny
import tiny_bundle
import torch
import torch.nn.functional as F
from torch import Tensor

import framecast
from framecast.data import Caption, CaptionedClip, ClipSource, RandomCrops, SpriteWorld
from framecast.data.shards import ShardWriter, TokenClip, TokenShards
from framecast.data.sprites import CAPTION_WORDS
from framecast.model import VideoLMShape, shift_tokens, to_sequence
from framecast.sample import load_bundle, save_bundle
from framecast.tokenizer import FSQ, TextTokenizer, VideoTokenizer, VideoTokenizerConfig
from framecast.train import AtomicCheckpointIO, BlockWeights, ClipDataModule, LitVideoLM, TokenDataModule
from framecast.train.cli import main
from framecast.train.conditioning import Example, corrupt, cut_gap, draw_gap, drop_prompts
from framecast.train.lm_module import bits_per_pixel, start_from
from framecast.train.token_data import NO_CAPTION, PromptCollate, WithStills
from framecast.train.tokenize import describe_source, write_tokens

CONFIG = Path(__file__).parents[2] / "train" / "configs" / "tiny_lm.yaml"
TOKENIZER, VIDEO = VideoTokenizerConfig(channels=(16, 16), num_blocks=(1, 1)), {"height": 32, "width": 32, "fps": 12.0}
PAD, EOS = 0, 2
SHORT = ("--trainer.max_steps=4", "--trainer.val_check_interval=2", "--trainer.log_every_n_steps=2")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """A tokenizer that was not trained: 4x4 tokens in a frame of 32x32."""
    folder = tmp_path_factory.mktemp("tokenizer") / "bundle"
    return save_bundle(folder, tiny.tokenizer(FSQ((5, 5, 5)), TOKENIZER), video=VIDEO)


@pytest.fixture(scope="module")
def shards(bundle, tmp_path_factory) -> Path:
    """Tokens of the tiny configuration's clips, made by a first run of no steps."""
    folder = tmp_path_factory.mktemp("shards")
    prepared(tokens(bundle, folder))
    return folder


def tokens(bundle: Path, shards: Path, source: ClipSource | None = None, **options) -> TokenDataModule:
    source = source or SpriteWorld(num_clips=64, num_frames=5, size=32)
    return TokenDataModule(source, str(bundle), str(shards), **{"val_clips": 4, "batch_size": 2, **options})


def prepared(data: TokenDataModule) -> TokenDataModule:
    """As Lightning prepares it."""
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    data.trainer = SimpleNamespace(strategy=strategy, precision_plugin=SimpleNamespace(forward_context=nullcontext))
    data.prepare_data()
    data.setup("fit")
    return data


def fit(folder: Path, bundle: Path, shards: Path, *options: str) -> None:
    quiet = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
    data = [f"--data.init_args.tokenizer={bundle}", f"--data.init_args.shards={shards}"]
    main(["fit", "--config", str(CONFIG), *quiet, *data, f"--trainer.default_root_dir={folder}", *options])


def last(folder: Path) -> dict:
    return AtomicCheckpointIO().load_checkpoint(folder / "checkpoints" / "last.ckpt")


# --- whole runs


@pytest.fixture(scope="module")
def whole(bundle, shards, tmp_path_factory) -> Path:
    """A run from start to end, with samples on the way."""
    folder = tmp_path_factory.mktemp("whole")
    fit(folder, bundle, shards, *SHORT, "--samples.every_n_steps=2", "--export.dtype=bfloat16")
    return folder


def test_a_run_ends_with_a_bundle(whole):
    average = last(whole)["callbacks"]["EMA"]["average"]
    for name, parameter in load_bundle(whole / "bundle").lm.named_parameters():
        assert torch.equal(parameter, average[name].bfloat16().float()), name
    words = load_bundle(whole / "bundle").text_tokenizer.words  # those of the few captions that were trained on
    assert {"a", "circle"} < words < {*CAPTION_WORDS, ","}
    clip = framecast.load_generator(whole / "bundle").generate("a red circle moves right", num_frames=9)
    assert clip.frames.shape == (9, 32, 32, 3)


def test_a_run_logs_what_it_does(whole):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(whole / "lightning_logs" / "version_0"))
    log.Reload()
    measures = {f"val/{what}_{name}" for what in ("nats", "bits_per_pixel") for name in ("token", "row", "frame")}
    assert measures | {"throughput/tokens_per_second", "train/gradient_norm"} <= set(log.Tags()["scalars"])
    assert any(tag.startswith("train/nats_") for tag in log.Tags()["scalars"])
    (tag,) = [tag for tag in log.Tags()["images"] if tag.startswith("samples/")]
    assert [picture.step for picture in log.Images(tag)] == [2, 4]
    assert b"acTL" in log.Images(tag)[0].encoded_image_string  # it moves


def test_a_run_that_is_stopped_and_resumed_equals_one_that_is_not(whole, tmp_path, monkeypatch, bundle, shards):
    training_step = LitVideoLM.training_step

    def step_and_signal(self, batch, batch_idx):
        if self.global_step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return training_step(self, batch, batch_idx)

    blind = ["--samples.every_n_steps=0"]  # looking at samples changes nothing
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(LitVideoLM, "training_step", step_and_signal)
        fit(tmp_path, bundle, shards, *SHORT, *blind)
    assert last(tmp_path)["global_step"] == 2
    fit(tmp_path, bundle, shards, *SHORT, *blind, "--ckpt_path=last")
    one, other = last(whole), last(tmp_path)
    assert one["TokenDataModule"] == other["TokenDataModule"] and one["TokenDataModule"]["position"] == 8
    assert torch.equal(one["random_state"]["cpu"], other["random_state"]["cpu"])
    averages = [checkpoint["callbacks"]["EMA"]["average"] for checkpoint in (one, other)]
    for a, b in [(one["state_dict"], other["state_dict"]), averages]:
        assert not [name for name, value in a.items() if not torch.equal(value, b[name])]


def test_a_run_starts_from_a_bundle_with_its_text_tokenizer(whole, tmp_path):
    options = ["--trainer.max_steps=1", "--trainer.val_check_interval=1", "--samples.every_n_steps=0"]
    still = ["--model.init_args.optimizer.learning_rate=1e-12", "--data.init_args.source.init_args.seed=5"]
    fit(tmp_path, whole / "bundle", tmp_path / "shards", *options, *still, f"--model.init_args.init_from={whole / 'bundle'}")
    start, end = load_bundle(whole / "bundle"), load_bundle(tmp_path / "bundle")
    assert end.hashes["text.model"] == start.hashes["text.model"] and end.text_tokenizer.words >= start.text_tokenizer.words
    weights = end.lm.state_dict()
    for name, value in start.lm.state_dict().items():
        torch.testing.assert_close(weights[name], value, atol=1e-6, rtol=0)
    assert not list((tmp_path / "shards").rglob("*.model"))  # no other text tokenizer was trained


def test_a_run_cannot_start_from_what_does_not_fit(tmp_path):
    start, other = load_bundle(tiny_bundle.save(tmp_path / "start")), tiny.randomise(tiny_bundle.lm(), 3)
    start_from(other, start, start)
    assert torch.equal(other.places.weight, start.lm.places.weight)
    start_from(tiny_bundle.lm(context_frames=3), start, start)  # how much is seen may change
    with pytest.raises(ValueError, match=r"has num_layers 2, and 3 is wanted; make them equal"):
        start_from(tiny_bundle.lm(num_layers=3), start, start)
    data = load_bundle(tiny_bundle.save(tmp_path / "data", text_tokenizer=TextTokenizer.train(["a ring"], vocab_size=300)))
    with pytest.raises(ValueError, match=r"made with another text.model.* set `data.init_args.tokenizer` to .*start too"):
        start_from(other, start, data)
    alone = load_bundle(tiny_bundle.save(tmp_path / "alone", lm=None, text_tokenizer=None))
    with pytest.raises(ValueError, match="holds a tokenizer and no video LM"):
        start_from(other, alone, start)


# --- the data


def test_shards_hold_what_the_tokenizer_makes(bundle, shards):
    data = prepared(tokens(bundle, shards))
    clip = data.source[5]
    video = framecast.data.to_video(clip.frames)[None]
    assert torch.equal(data.train_tokens[5].tokens, data.bundle.tokenizer.encode(video)[0])
    assert data.train_tokens[5].captions == clip.captions
    assert (len(data.train_tokens), len(data.val_tokens)) == (60, 4)
    assert data.pixels_per_token == 5 * 32 * 32 / (2 * 4 * 4)


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


def test_a_source_is_described_by_class_and_settings():
    described = describe_source(SpriteWorld(num_clips=10, seed=3))
    assert described["class"] == "SpriteWorld"
    assert (described["num_clips"], described["seed"], described["height"]) == (10, 3, 64)


def test_a_source_is_described_with_the_one_inside_it():
    inner = [SpriteWorld(num_clips=10, num_frames=5, size=40, seed=seed) for seed in (3, 4)]
    described = [describe_source(RandomCrops(source, size=32)) for source in inner]
    assert described[0]["class"] == "RandomCrops" and described[0]["source"] == describe_source(inner[0])
    assert described[0] != described[1]


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


# --- the disturbed inputs


def test_corruption_has_the_stated_share_and_grows_over_frames():
    inputs = torch.full((4000, 4 * 6), 1000)  # the start's id: no random token is it
    torch.manual_seed(0)
    changed = corrupt(inputs, 4, 1000, 0.2) != inputs
    shares = changed.unflatten(1, (4, 6))[:, :, 1:].float().mean(dim=(0, 2))
    torch.testing.assert_close(shares, 0.1 * torch.tensor([0.25, 0.5, 0.75, 1.0]), atol=0.005, rtol=0)
    by_clip = changed[:, 18:].float().mean(dim=1)
    assert by_clip.var() > 0.1 * 0.9 / 6 + 0.0015  # the share is drawn by clip: more spread than one share would give
    assert not changed[:, 0].any()
    assert torch.equal(corrupt(inputs, 4, 1000, 0.0), inputs)


def test_dropped_prompts_are_null():
    ids = torch.randint(3, 9, (2000, 2, 5), generator=tiny.rng())
    torch.manual_seed(0)
    dropped = drop_prompts(ids, 0.1, EOS, PAD)
    same = (dropped == ids).flatten(1).all(dim=1)
    null = (dropped == torch.tensor([EOS, PAD, PAD, PAD, PAD])).flatten(1).all(dim=1)
    assert (same ^ null).all()  # whole clips
    assert abs(float(null.float().mean()) - 0.1) < 0.03
    assert torch.equal(drop_prompts(ids, 0.0, EOS, PAD), ids)


def example(num_frames: int, starts: list[int]) -> Example:
    """Targets name their frame; inputs are 100 higher."""
    frames = torch.arange(num_frames).repeat_interleave(3)[None]
    return Example(100 + frames, frames, torch.zeros(1, len(starts), 1), torch.tensor([starts]), num_frames)


def test_a_gap_cuts_inputs_targets_and_starts_alike():
    cut = cut_gap(example(7, [0, 1, 2, 3, 4, 5, 7]), sink_frames=2, gap=2)
    kept = [0, 1, 4, 5, 6]
    assert cut.targets[0].tolist() == [frame for frame in kept for _ in range(3)]
    assert torch.equal(cut.inputs, cut.targets + 100)
    assert cut.num_frames == 5
    prompts_of_frames = [max(i for i, start in enumerate(cut.starts[0].tolist()) if start <= frame) for frame in range(5)]
    assert prompts_of_frames == [0, 1, 4, 5, 5]  # what held in the frames that are kept
    assert cut.starts[0, -1] == 5  # never, as before
    whole = example(7, [0, 3])
    same = cut_gap(whole, 2, 0)
    assert all(torch.equal(getattr(same, name), getattr(whole, name)) for name in ("inputs", "targets", "starts"))


def test_the_frame_behind_a_gap_is_not_scored():
    whole = example(7, [0])
    length = whole.targets.shape[1] // 7
    cut = cut_gap(whole, sink_frames=2, gap=3)
    scored = torch.ones(cut.targets.shape[1], dtype=torch.bool)
    scored[slice(*cut.unscored)] = False
    assert (~scored).nonzero().flatten().tolist() == list(range(2 * length, 3 * length))
    assert cut_gap(whole, 2, 0).unscored == (0, 0)


def test_gaps_are_drawn_as_stated():
    torch.manual_seed(0)
    gaps = [draw_gap(6, 1, 0.5) for _ in range(2000)]
    assert set(gaps) == {0, 1, 2, 3, 4}
    assert abs(gaps.count(0) / 2000 - 0.5) < 0.05
    assert {draw_gap(6, 0, 1.0), draw_gap(2, 1, 1.0), draw_gap(6, 1, 0.0)} == {0}


# --- the loss


@pytest.fixture
def module(monkeypatch) -> LitVideoLM:
    """A module with a random network and no data but what the loss needs."""
    module = LitVideoLM(corruption=0.5, prompt_dropout=0.5, gap_probability=1.0)
    module.lm = tiny.video_lm(context_frames=4)
    text = SimpleNamespace(pad_id=PAD, eos_id=EOS)
    monkeypatch.setattr(LitVideoLM, "data", SimpleNamespace(text_tokenizer=text, pixels_per_token=2.0))
    return module


def batch(module: LitVideoLM) -> dict[str, Tensor]:
    ids = torch.tensor([[[5, 6, EOS], [7, EOS, PAD]], [[8, EOS, PAD], [EOS, PAD, PAD]]])
    return {"tokens": tiny.tokens(module.network, 4), "ids": ids, "starts": torch.tensor([[0, 2], [0, 4]])}


@torch.no_grad()
@pytest.mark.parametrize("name", ["token", "row", "frame"])
def test_the_loss_counts_every_token_once_at_its_own_place(module, name):
    lm, its_batch, block_length = module.network, batch(module), module.block_length(name)
    loss = module.token_loss(module.example(its_batch, block_length), block_length)
    grid = its_batch["tokens"]
    prompts = lm.encode_prompts(its_batch["ids"], its_batch["ids"] != PAD, its_batch["starts"], 4)
    logits = lm.vocabulary.logits(lm(shift_tokens(grid, block_length, lm.start_id), prompts, block_length).hidden)
    expected = [[F.cross_entropy(logits[b, i], to_sequence(grid)[b, i]) for i in range(4 * 6)] for b in range(2)]
    torch.testing.assert_close(loss.nll, torch.tensor(expected))
    off_by_one = F.cross_entropy(logits[:, 1:].flatten(0, 1), to_sequence(grid)[:, :-1].flatten())
    assert abs(float(off_by_one - loss.nll.mean())) > 0.01  # a shift would be seen


@torch.no_grad()
@pytest.mark.parametrize("name", ["token", "row", "frame"])
def test_no_token_is_predicted_from_itself(module, name):
    its_batch, block_length = batch(module), module.block_length(name)
    changed = {**its_batch, "tokens": its_batch["tokens"].clone()}
    changed["tokens"][:, 2, 1, 0] = (changed["tokens"][:, 2, 1, 0] + 1) % 13
    place = 2 * 6 + 3

    def hidden(inputs: Tensor) -> Tensor:
        prompts = module.network.encode_prompts(its_batch["ids"], its_batch["ids"] != PAD, its_batch["starts"], 4)
        return module.network(inputs, prompts, block_length).hidden[:, : place + 1]

    before, after = (module.example(b, block_length) for b in (its_batch, changed))
    assert torch.equal(hidden(before.inputs), hidden(after.inputs))
    assert not torch.equal(before.targets[:, place], after.targets[:, place])
    assert not torch.equal(hidden(before.targets), hidden(after.targets))  # without the shift it would see itself


@pytest.mark.parametrize("name", ["token", "row", "frame"])
def test_disturbing_never_touches_targets(module, name):
    torch.manual_seed(0)
    clean = module.example(batch(module), module.block_length(name))
    disturbed = [module.disturb(clean) for _ in range(20)]
    for result in disturbed:
        gap = clean.num_frames - result.num_frames
        undisturbed = cut_gap(clean, 1, gap)
        assert torch.equal(result.targets, undisturbed.targets)
        assert (result.inputs[:, 0] == module.network.start_id).all()
        assert (result.inputs[:, 1:] < module.network.config.codebook_size).all()
    assert {result.num_frames for result in disturbed} == {2, 3}
    assert any(not torch.equal(r.inputs, cut_gap(clean, 1, 4 - r.num_frames).inputs) for r in disturbed)


def test_training_loss_is_finite_and_reaches_every_weight(module, monkeypatch):
    monkeypatch.setattr(module, "log_dict", lambda *_: None)
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    torch.manual_seed(0)
    for _ in range(4):
        module.training_step(batch(module), 0).backward()
    grads = {name: parameter.grad for name, parameter in module.network.named_parameters()}
    assert not [name for name, grad in grads.items() if grad is None or not grad.isfinite().all() or not grad.any()]


def test_single_frames_weigh_as_much_as_they_have_tokens(module, monkeypatch):
    logged: dict[str, Tensor] = {}
    monkeypatch.setattr(module, "log_dict", logged.update)
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    module.corruption = module.prompt_dropout = module.gap_probability = module.z_weight = 0.0
    monkeypatch.setattr(module, "blocks", BlockWeights(token=0, frame=0))
    clips = batch(module)
    own = {"tokens": clips["tokens"][:1, :1], "ids": clips["ids"][:1, :1], "starts": clips["starts"][:1, :1]}
    loss = module.training_step({**clips, "stills": own}, 0)
    row = module.block_length("row")
    nll = [module.token_loss(module.example(part, row), row).nll for part in (clips, own)]
    torch.testing.assert_close(loss, torch.cat([part.flatten() for part in nll]).mean())
    torch.testing.assert_close(logged["train/nats_stills"], nll[1].mean())
    assert module.count({**clips, "stills": own}) == (2 * 4 + 1) * 6


def test_bits_per_pixel():
    nats = torch.tensor(math.log(1000.0))  # as a uniform guess among 1000
    tokens_in_clip, pixels_in_clip = 9 * 64, 33 * 64 * 64
    expected = math.log2(1000) * tokens_in_clip / pixels_in_clip
    assert float(bits_per_pixel(nats, pixels_in_clip / tokens_in_clip)) == pytest.approx(expected)


# --- settings


def test_block_lengths_are_drawn_by_weight():
    torch.manual_seed(0)
    blocks = BlockWeights(token=1, row=3, frame=0)
    drawn = [blocks.draw() for _ in range(1000)]
    assert set(drawn) == {"token", "row"}
    assert abs(drawn.count("row") / 1000 - 0.75) < 0.05


@pytest.mark.parametrize("weights", [{"token": -1.0}, {"token": 0, "row": 0, "frame": 0}])
def test_bad_block_weights(weights):
    with pytest.raises(ValueError, match="wanted weights of at least 0, and one above it"):
        BlockWeights(**weights)


@pytest.mark.parametrize("name", ["corruption", "prompt_dropout", "gap_probability"])
def test_shares_are_checked(name):
    with pytest.raises(ValueError, match=f"got {name} 1.5; wanted a share from 0 to 1"):
        LitVideoLM(**{name: 1.5})


def test_an_lm_needs_tokens():
    module = LitVideoLM()
    module.trainer = SimpleNamespace(datamodule=ClipDataModule(SpriteWorld(num_clips=64)))  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"got ClipDataModule as the data of a video LM; wanted tokens; .*TokenDataModule"):
        module.configure_model()
