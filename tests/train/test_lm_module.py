"""The training of a video LM: what it predicts from what, what it disturbs, and whole runs of the tiny configuration."""

import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny
import tiny_bundle
import tiny_world
import torch
import torch.nn.functional as F
from lm_trainings import EOS, PAD, SHORT, fit
from torch import Tensor
from trainings import last

import framecast
from framecast.data import ActionSpace, Button, SpriteWorld
from framecast.data.sprites import CAPTION_WORDS
from framecast.model import VideoLM, shift_tokens, to_sequence
from framecast.model.outcome import symlog
from framecast.sample import load_bundle
from framecast.tokenizer import TextTokenizer
from framecast.train import BlockWeights, ClipDataModule, LitVideoLM
from framecast.train.conditioning import cut_gap
from framecast.train.init_from import start_from
from framecast.train.lm_module import bits_per_pixel


@pytest.fixture(scope="module")
def whole(bundle, shards, tmp_path_factory) -> Path:
    """A run from start to end, with samples on the way, as every validation shows some."""
    folder = tmp_path_factory.mktemp("whole")
    fit(folder, bundle, shards, *SHORT, "--samples.every_n_steps=null", "--export.dtype=bfloat16")
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
    assert [picture.step for picture in log.Images("continuations")] == [2, 4]
    assert {"val/continuation_psnr", "val/repeat_psnr"} <= set(log.Tags()["scalars"])
    metrics = load_bundle(whole / "bundle").training["metrics"]
    assert 0 < metrics["val/continuation_psnr"] < 40 and 0 < metrics["val/repeat_psnr"] < 60
    kept = {path.name for path in (whole / "samples").iterdir()}
    assert kept == {f"step_00000{step}.{kind}" for step in (2, 4) for kind in ("webp", "png")}


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


def test_a_model_goes_on_with_looks_back_at_its_inputs_that_change_nothing_yet(tmp_path):
    plain = tiny_bundle.lm(embedding_skip=False, value_embeddings=False)
    start = load_bundle(tiny_bundle.save(tmp_path / "start", lm=plain))
    lm = tiny.randomise(VideoLM(replace(plain.config, embedding_skip=True, value_embeddings=True)), 3)
    for layer in lm.layers:
        layer.skip.data.copy_(torch.tensor([1.0, 0.0]))  # as it begins
    start_from(lm, start, start)
    inputs, prompts = shift_tokens(tiny.tokens(lm, 3), 6, lm.start_id), tiny.prompts(lm)
    with torch.no_grad():
        assert torch.equal(lm(inputs, prompts, 6).hidden, start.lm(inputs, prompts, 6).hidden)
    own = load_bundle(tiny_bundle.save(tmp_path / "own", lm=lm))
    with pytest.raises(ValueError, match=r"its video LM has embedding_skip True, and False is wanted"):
        start_from(plain, own, own)


def test_a_model_without_actions_goes_on_as_one_of_a_world_and_a_world_in_itself_alone(tmp_path):
    start = load_bundle(tiny_world.save(tmp_path / "plain", lm=tiny_world.lm(num_actions=0, rewards=False), action_space=None))
    world, space = tiny.randomise(VideoLM(tiny_world.lm().config), 3), tiny_world.SPACE
    for way in ("add", "film"):
        config = replace(tiny_world.lm().config, action_conditioning=way)
        lm = VideoLM(config).eval()
        start_from(lm, start, start, space)
        assert torch.equal(lm.places.weight, start.lm.places.weight) and torch.equal(
            lm.heads.end.weight, start.lm.heads.end.weight
        )
        inputs, prompts = shift_tokens(tiny.tokens(lm, 3), 6, lm.start_id), tiny.prompts(lm)
        actions = lm.encode_actions(tiny_world.actions(12).view(2, 3, 2, 3))
        with torch.no_grad():
            assert torch.equal(lm(inputs, prompts, 6, actions=actions).hidden, start.lm(inputs, prompts, 6).hidden)
    own = load_bundle(tiny_world.save(tmp_path / "world"))
    start_from(world, own, own, space)
    assert torch.equal(world.action_encoder.unknown, own.lm.action_encoder.unknown)
    with pytest.raises(ValueError, match=r"is a model of ActionSpace\(left, right, gas\), and the clips have no actions; wanted"):
        start_from(start.lm, own, own)
    with pytest.raises(ValueError, match=r"the clips have those of ActionSpace\(fire\); wanted clips of the same actions"):
        start_from(world, own, own, ActionSpace((Button("fire"),)))
    with pytest.raises(ValueError, match=r"its video LM has rewards True, and False is wanted"):
        start_from(VideoLM(replace(own.lm.config, rewards=False)), own, own, space)
    with pytest.raises(ValueError, match=r"its video LM has action_conditioning add, and film is wanted"):
        start_from(VideoLM(replace(own.lm.config, action_conditioning="film")), own, own, space)


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


@pytest.fixture(params=["add", "film"])
def world(request, module) -> LitVideoLM:
    """The same for the model of a world, with both heads."""
    module.lm = tiny.video_lm(context_frames=4, rewards=True, ends=True, **tiny.WORLDS[request.param])
    return module


def world_batch(module: LitVideoLM) -> dict[str, Tensor]:
    rewards = torch.tensor([[torch.nan, 0, 1, -2], [torch.nan, 3, torch.nan, 0]])
    ends = torch.tensor([[False, False, False, True], [False, False, False, False]])
    return {**batch(module), "actions": tiny.raw_actions(4), "rewards": rewards, "ends": ends}


@torch.no_grad()
@pytest.mark.parametrize("name", ["token", "frame"])
def test_the_loss_is_that_of_the_actions_of_the_batch(world, name):
    lm, its_batch, block_length = world.network, world_batch(world), world.block_length(name)
    example = world.example(its_batch, block_length)
    prompts = lm.encode_prompts(its_batch["ids"], its_batch["ids"] != PAD, its_batch["starts"], 4)
    inputs = shift_tokens(its_batch["tokens"], block_length, lm.start_id)
    hidden = lm(inputs, prompts, block_length, actions=lm.encode_actions(its_batch["actions"])).hidden
    assert torch.equal(world.hidden(example, block_length), hidden)
    last = hidden[:, 5::6]  # the last position of each latent frame
    known = ~its_batch["rewards"].isnan()
    predicted = torch.stack([lm.outcome(last[:, frame]).reward for frame in range(4)], dim=1)
    off = symlog(predicted[known]) - symlog(its_batch["rewards"][known])
    losses = world.outcome_loss(hidden, example)
    torch.testing.assert_close(losses["reward"], off.square().mean())
    end = torch.stack([lm.outcome(last[:, frame]).end for frame in range(4)], dim=1)
    torch.testing.assert_close(losses["end"], F.binary_cross_entropy(end, its_batch["ends"].float()))


def test_training_a_world_reaches_every_weight(world, monkeypatch):
    logged: dict[str, Tensor] = {}
    monkeypatch.setattr(world, "log_dict", logged.update)
    monkeypatch.setattr(world, "log", lambda *_, **__: None)
    torch.manual_seed(0)
    for _ in range(6):
        world.training_step(world_batch(world), 0).backward()
    grads = {name: parameter.grad for name, parameter in world.network.named_parameters()}
    assert not [name for name, grad in grads.items() if grad is None or not grad.isfinite().all() or not grad.any()]
    assert {"train/reward_loss", "train/end_loss"} <= set(logged)
    world.outcome_weight = world.gap_probability = 0.0
    torch.manual_seed(0)
    without = world.training_step(world_batch(world), 0)
    world.outcome_weight = 2.0
    torch.manual_seed(0)
    both = logged["train/reward_loss"] + logged["train/end_loss"]
    torch.testing.assert_close(world.training_step(world_batch(world), 0), without + 2 * both)


@torch.no_grad()
def test_batches_without_actions_and_stills_are_trained_on_as_unknown(world, monkeypatch):
    monkeypatch.setattr(world, "log_dict", lambda *_: None)
    monkeypatch.setattr(world, "log", lambda *_, **__: None)
    clips = batch(world)
    unknown = {**clips, "actions": torch.full((2, 4, 2, 3), torch.nan)}
    hidden = [world.hidden(world.example(each, 6), 6) for each in (clips, unknown)]
    torch.testing.assert_close(*hidden, atol=1e-5, rtol=0)
    own = {"tokens": clips["tokens"][:1, :1], "ids": clips["ids"][:1, :1], "starts": clips["starts"][:1, :1]}
    assert world.training_step({**world_batch(world), "stills": own}, 0).isfinite()
    plain = LitVideoLM()
    plain.lm = tiny.video_lm(context_frames=4)
    assert plain.example(world_batch(world), 6).actions is None  # a model without actions does not ask for them


def test_disturbing_a_world_cuts_and_drops_its_actions(world):
    torch.manual_seed(0)
    world.action_dropout = 0.5
    clean = world.example(world_batch(world), 6)
    disturbed = [world.disturb(clean) for _ in range(20)]
    shares = []
    for result in disturbed:
        kept = cut_gap(clean, 1, 4 - result.num_frames).actions
        dropped = result.actions.isnan().flatten(1).all(1)
        assert torch.equal(result.actions[~dropped].nan_to_num(9), kept[~dropped].nan_to_num(9))
        shares.append(float(dropped.float().mean()))
    assert 0.3 < sum(shares) / len(shares) < 0.7


@torch.no_grad()
def test_validation_says_how_much_actions_matter(world, monkeypatch):
    logged: dict[str, Tensor] = {}
    monkeypatch.setattr(world, "log_dict", lambda values, **_: logged.update(values))
    monkeypatch.setattr(world, "log", lambda *_, **__: None)
    its_batch = world_batch(world)
    world.validation_step(its_batch, 0)
    names = {f"val/{what}_{name}" for what in ("nats", "reward_loss", "end_loss") for name in ("token", "row", "frame")}
    assert names | {f"val/nats_{name}_other_actions" for name in ("token", "row", "frame")} <= set(logged)
    swapped = {**its_batch, "actions": its_batch["actions"].flip(0)}
    expected = world.token_loss(world.example(swapped, 3), 3).nll.mean()
    torch.testing.assert_close(logged["val/nats_row_other_actions"], expected)
    assert logged["val/nats_row_other_actions"] != logged["val/nats_row"]
    logged.clear()
    world.validation_step({name: value[:1] for name, value in its_batch.items()}, 0)
    assert not [name for name in logged if "other" in name]  # a clip alone has no other


def test_bits_per_pixel():
    nats = torch.tensor(math.log(1000.0))  # as a uniform guess among 1000
    tokens_in_clip, pixels_in_clip = 9 * 64, 33 * 64 * 64
    expected = math.log2(1000) * tokens_in_clip / pixels_in_clip
    assert float(bits_per_pixel(nats, pixels_in_clip / tokens_in_clip)) == pytest.approx(expected)


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


def test_the_weight_of_outcomes_is_checked():
    with pytest.raises(ValueError, match=r"got outcome_weight -0.1; wanted a number of at least 0"):
        LitVideoLM(outcome_weight=-0.1)


@pytest.mark.parametrize("name", ["corruption", "prompt_dropout", "action_dropout", "gap_probability"])
def test_shares_are_checked(name):
    with pytest.raises(ValueError, match=f"got {name} 1.5; wanted a share from 0 to 1"):
        LitVideoLM(**{name: 1.5})


def test_an_lm_needs_tokens():
    module = LitVideoLM()
    module.trainer = SimpleNamespace(datamodule=ClipDataModule(SpriteWorld(num_clips=64)))  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"got ClipDataModule as the data of a video LM; wanted tokens; .*TokenDataModule"):
        module.configure_model()


def test_a_run_with_muon_goes_on_where_it_stopped(bundle, shards, tmp_path):
    looking_back = ("--model.init_args.lm.embedding_skip=true", "--model.init_args.lm.value_embeddings=true")
    options = (*SHORT, "--samples.every_n_validations=0", "--model.init_args.muon.learning_rate=0.02", *looking_back)
    fit(tmp_path / "whole", bundle, shards, *options, "--trainer.max_steps=3", "--trainer.val_check_interval=3")
    fit(tmp_path / "parts", bundle, shards, *options, "--trainer.max_steps=2")
    fit(
        tmp_path / "parts",
        bundle,
        shards,
        *options,
        "--trainer.max_steps=3",
        "--trainer.val_check_interval=1",
        "--ckpt_path=last",
    )
    whole, parts = (last(tmp_path / name) for name in ("whole", "parts"))
    assert all(torch.equal(value, parts["state_dict"][name]) for name, value in whole["state_dict"].items())
    groups = whole["optimizer_states"][0]["param_groups"]
    assert [group["muon"] for group in groups] == [True, False, False]
    lm = load_bundle(tmp_path / "whole" / "bundle").lm
    assert lm.config.embedding_skip
    assert lm.config.value_embeddings
