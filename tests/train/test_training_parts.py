"""The parts of a training, each by itself: averages, guards, losses, schedule."""

import platform
from itertools import pairwise
from types import SimpleNamespace

import lightning as L
import pytest
import torch
from torch.utils.data import DataLoader

from framecast.tokenizer import FSQ, VideoTokenizerConfig
from framecast.train import EMA, AdamWConfig, CodebookCollapse, CodebookGuard, LitVideoTokenizer, ReconstructionLoss
from framecast.train.discriminator import PatchDiscriminator
from framecast.train.losses import adaptive_weight, hinge_loss, structure_error
from framecast.train.memory import keep_freed_memory
from framecast.train.optim import learning_rate_share

TINY = VideoTokenizerConfig(channels=(8, 8), num_blocks=(1, 1))


def module(**options) -> LitVideoTokenizer:
    torch.manual_seed(0)
    return LitVideoTokenizer(TINY, FSQ((3, 3)), **options)


def videos(n: int, bad: tuple[int, ...] = ()) -> DataLoader:
    """Batches of one video; in the bad ones a pixel is NaN, which the network cannot foresee."""
    generator = torch.Generator().manual_seed(0)
    batches = [{"video": torch.rand(1, 3, 5, 16, 16, generator=generator) * 2 - 1} for _ in range(n)]
    for i in bad:
        batches[i]["nan"] = torch.tensor(float("nan"))
    return DataLoader(batches, batch_size=None)


class Breakable(LitVideoTokenizer):
    """Its loss is NaN where the batch says so."""

    def training_step(self, batch, batch_idx):
        result = super().training_step(batch, batch_idx)
        return {**result, "loss": result["loss"] * batch.get("nan", 1.0)}


def trainer(tmp_path, steps: int, *callbacks: L.Callback) -> L.Trainer:
    return L.Trainer(
        accelerator="cpu",
        max_steps=steps,
        logger=False,
        callbacks=list(callbacks),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        gradient_clip_val=1.0,
        log_every_n_steps=1,
        default_root_dir=tmp_path,
    )


class Record(L.Callback):
    """The weights after each step."""

    def __init__(self):
        self.weights = []

    def on_train_batch_end(self, trainer, pl_module, *_):
        self.weights.append(torch.cat([p.detach().flatten() for p in pl_module.network.parameters()]))


def test_ema_follows_the_weights_and_serves_the_validation(tmp_path):
    ema, record, model = EMA(decay=0.5), Record(), module()
    start = torch.cat([p.detach().flatten() for p in model.network.parameters()])
    trainer(tmp_path, 4, ema, record).fit(model, videos(4))
    expected = start
    for step, weights in enumerate(record.weights, start=1):
        expected = torch.lerp(expected, weights, 1 - min(0.5, (1 + step) / (10 + step)))
    average = torch.cat([p.flatten() for p in ema.average.values()])
    torch.testing.assert_close(average, expected)
    with ema.averaged(model):
        assert torch.equal(torch.cat([p.flatten() for p in model.network.parameters()]), average)
    assert torch.equal(torch.cat([p.flatten() for p in model.network.parameters()]), record.weights[-1])


def test_a_bad_batch_changes_nothing(tmp_path):
    torch.manual_seed(0)
    record, model = Record(), Breakable(TINY, FSQ((3, 3)))
    trainer(tmp_path, 4, record).fit(model, videos(4, bad=(1, 2)))
    one, two, three, four = record.weights
    assert torch.equal(one, two)
    assert torch.equal(two, three)
    assert not torch.equal(three, four)
    assert four.isfinite().all()


def test_many_bad_batches_in_a_row_end_the_run(tmp_path):
    model = Breakable(TINY, FSQ((3, 3)))
    with pytest.raises(FloatingPointError, match=r"not finite for 10 steps in a row.*learning_rate.*--ckpt_path last"):
        trainer(tmp_path, 20).fit(model, videos(20, bad=tuple(range(20))))


@pytest.mark.parametrize(("algorithm", "clipped"), [(None, (0.6, 0.8)), ("norm", (0.6, 0.8)), ("value", (1.0, 1.0))])
@pytest.mark.parametrize("value", [1.0, None])
def test_gradients_are_clipped_as_lightning_would(algorithm, clipped, value):
    model, optimizer = module(), torch.optim.AdamW([weight := torch.nn.Parameter(torch.zeros(2))], fused=True)
    weight.grad = torch.tensor([3.0, 4.0])
    logged = {}
    model.log = lambda name, norm: logged.update({name: norm.item()})
    model.configure_gradient_clipping(optimizer, value, algorithm)
    torch.testing.assert_close(weight.grad, torch.tensor(clipped if value else (3.0, 4.0)))
    assert logged == {"train/gradient_norm": 5.0}


def test_memory_is_kept_where_the_c_library_knows_how(monkeypatch):
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_freed_memory()


def test_broken_weights_are_never_kept():
    model = module()
    model._trainer = SimpleNamespace(global_step=7)
    next(model.parameters()).data[0] = torch.inf
    with pytest.raises(FloatingPointError, match=r"not finite in tokenizer.* at step 7.*none was written"):
        model.on_save_checkpoint({})


def guard(tokens: torch.Tensor, step: int, **options) -> CodebookGuard:
    model, logged = LitVideoTokenizer(TINY), {}
    model.log = lambda name, value, **_: logged.update({name: value})
    guard = CodebookGuard(**options)
    guard.on_train_batch_end(SimpleNamespace(global_step=step, log_every_n_steps=1), model, {"tokens": tokens}, {}, 0)
    guard.logged = logged
    return guard


def test_the_guard_measures_the_codebook():
    logged = guard(torch.arange(100).reshape(1, 1, 10, 10), step=1).logged
    assert logged["codebook/usage"] == pytest.approx(0.1)
    assert logged["codebook/perplexity"] == pytest.approx(100)
    assert logged["codebook/dead"] == 900


def test_a_collapsed_codebook_ends_the_run():
    collapsed = torch.arange(10).repeat(200).reshape(1, 5, 20, 20)
    guard(collapsed, step=499)
    with pytest.raises(CodebookCollapse, match=r"used 10 of 1000 codes .* at least 5%; lower .*learning_rate"):
        guard(collapsed, step=500)
    guard(collapsed, step=500, min_usage=0)
    guard(torch.arange(60).repeat(100), step=500)


def test_the_reconstruction_loss_is_the_sum_it_says():
    target = torch.rand(2, 3, 5, 16, 16) * 2 - 1
    loss = ReconstructionLoss(l1=1, l2=2, structure=0.5)
    assert loss(target, target).item() == 0
    assert loss(target + 0.1, target).item() == pytest.approx(0.1 + 2 * 0.01, rel=1e-4)  # an even shift has no edges
    error = torch.rand(2, 3, 5, 16, 16)
    expected = error.abs().mean() + 2 * error.square().mean() + 0.5 * structure_error(error)
    torch.testing.assert_close(loss(target + error, target), expected, rtol=1e-4, atol=0)
    assert ReconstructionLoss(l1=0, l2=0, structure=0)(target + error, target).item() == 0
    assert loss(target + error, target) > ReconstructionLoss(l1=1, l2=2, structure=0)(target + error, target)


def test_structure_error_is_what_a_loop_gives():
    error = torch.randn(1, 2, 3, 8, 8)
    half = error.reshape(1, 2, 3, 4, 2, 4, 2).mean(dim=(4, 6))
    steps = [(x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean() for x in (error, half)]
    over_time = (error[:, :, 1:] - error[:, :, :-1]).abs().mean() / 2
    torch.testing.assert_close(structure_error(error, num_scales=2), sum(steps) / 4 + over_time)


def test_one_picture_is_a_legal_clip_for_the_loss():
    video = torch.rand(1, 3, 1, 8, 8)
    assert ReconstructionLoss()(video, video - 0.5).isfinite()


def test_the_learning_rate_rises_then_falls():
    shares = [learning_rate_share(step, 100, 10, 0.05) for step in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9] == shares[10] == max(shares) == 1
    assert shares[100] == pytest.approx(0.05)
    assert all(a >= b for a, b in pairwise(shares[10:]))


def test_only_matrices_decay():
    groups = AdamWConfig().optimizer(module()).param_groups
    assert {p.ndim >= 2 for p in groups[0]["params"]} == {True}
    assert {p.ndim >= 2 for p in groups[1]["params"]} == {False}
    assert (groups[0]["weight_decay"], groups[1]["weight_decay"]) == (0.05, 0.0)


def test_bad_optimizer_settings_are_named():
    with pytest.raises(ValueError, match="learning_rate > 0"):
        AdamWConfig(learning_rate=0)
    with pytest.raises(ValueError, match="0 <= decay < 1"):
        EMA(decay=1.0)


def test_the_adversarial_term_joins_late_and_each_player_gets_its_own_gradient(tmp_path):
    torch.manual_seed(0)
    model, record = LitVideoTokenizer(TINY, FSQ((3, 3)), adversarial_start=2), Record()
    before = model.discriminator.state_dict()["layers.0.weight"].clone()
    trainer(tmp_path, 2, record).fit(model, videos(2))
    assert torch.equal(model.discriminator.layers[0].weight, before)  # it has not joined yet
    trainer(tmp_path, 4, record).fit(model, videos(4))
    assert not torch.equal(model.discriminator.layers[0].weight, before)

    fake = torch.rand(1, 3, 2, 16, 16, requires_grad=True)
    critic = PatchDiscriminator()
    critic.requires_grad_(False)
    score = -critic(fake).mean()
    critic.requires_grad_(True)
    score.backward()
    assert fake.grad.abs().sum() > 0
    assert all(p.grad is None for p in critic.parameters())


def test_the_discriminator_sees_flicker():
    still = torch.rand(1, 3, 1, 16, 16).expand(-1, -1, 3, -1, -1)
    flicker = still.clone()
    flicker[:, :, 1] += 0.5
    scores, other = PatchDiscriminator()(still), PatchDiscriminator()(still)
    assert scores.shape == (3, 1, 2, 2)
    critic = PatchDiscriminator()
    assert not torch.equal(critic(flicker)[2], critic(still)[2])  # the last frame is the same; the one before is not
    assert hinge_loss(torch.full_like(scores, 2), torch.full_like(other, -2)).item() == 0


def test_the_adaptive_weight_balances_both_pulls():
    layer = torch.nn.Parameter(torch.ones(4))
    weight = adaptive_weight((3 * layer).sum(), (0.5 * layer).sum(), layer)
    assert weight.item() == pytest.approx(6, rel=1e-3)
