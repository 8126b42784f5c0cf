"""Steps that survive a bad batch, and weights that are never kept."""

from types import SimpleNamespace

import pytest
import torch
from trainings import NETWORK, Breakable, Record, fit, module, trainer, videos

from framecast.tokenizer import FSQ
from framecast.train import ClipDataModule


def test_a_run_goes_on_and_names_the_clip_that_is_not_finite(tmp_path, monkeypatch, recwarn, no_export):
    to_batch = ClipDataModule.on_after_batch_transfer
    spoilt: list[str] = []

    def spoil(self, batch, index):
        batch = to_batch(self, batch, index)
        if self.trainer.training and self.trainer.global_step == 1 and not spoilt:
            spoilt.append(batch["names"][1])
            batch["video"][1, 0, 2] = float("nan")
        return batch

    monkeypatch.setattr(ClipDataModule, "on_after_batch_transfer", spoil)
    fit(tmp_path, "--trainer.max_steps=3", "--trainer.log_every_n_steps=1")
    said = [str(warning.message) for warning in recwarn]
    assert f"step 1: the gradient is not finite; this batch ({spoilt[0]}) changes nothing" in said


def test_a_bad_batch_changes_nothing(tmp_path):
    torch.manual_seed(0)
    record, model = Record(), Breakable(NETWORK, FSQ((3, 3)))
    trainer(tmp_path, 4, record).fit(model, videos(4, bad=(1, 2)))
    one, two, three, four = record.weights
    assert torch.equal(one, two)
    assert torch.equal(two, three)
    assert not torch.equal(three, four)
    assert four.isfinite().all()


def test_many_bad_batches_in_a_row_end_the_run(tmp_path):
    model = Breakable(NETWORK, FSQ((3, 3)))
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


def test_broken_weights_are_never_kept():
    model = module()
    model._trainer = SimpleNamespace(global_step=7)
    next(model.parameters()).data[0] = torch.inf
    with pytest.raises(FloatingPointError, match=r"not finite in tokenizer.* at step 7.*none was written"):
        model.on_save_checkpoint({})
