"""What a training goes on with is what it had: the same clips, as many a step, other ones each epoch; tokens are never stale."""

from pathlib import Path

import pytest
import tiny
import torch

from framecast.machine import ProductRates
from framecast.sample import save_bundle
from framecast.tokenizer import FSQ, LFQ, VQ
from framecast.train import AtomicCheckpointIO, ClipDataModule, ExportBundle, LitVideoTokenizer
from framecast.train.checkpoints import precision_of
from framecast.train.cli import main

QUIET = ("--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false")
TINY = ("fit", "--config", "tiny_tokenizer", "--trainer.max_steps=2", "--trainer.val_check_interval=2", *QUIET)


def fit(folder: Path, *options: str) -> None:
    main([*TINY, f"--trainer.default_root_dir={folder}", *options])


@pytest.fixture
def no_export(monkeypatch):
    monkeypatch.setattr(ExportBundle, "on_fit_end", lambda *_: None)


def test_a_run_on_other_clips_or_with_another_batch_is_refused(tmp_path, no_export):
    fit(tmp_path)
    again = ("--ckpt_path=last", "--trainer.max_steps=3")
    with pytest.raises(ValueError, match=r"trained on other clips or captions.*now 64 clips.*framecast export.*init_from"):
        fit(tmp_path, *again, "--data.init_args.source.init_args.seed=4")
    with pytest.raises(ValueError, match=r"a run with 2 clips a step, and 4 now; .*data\.init_args\.batch_size"):
        fit(tmp_path, *again, "--data.init_args.batch_size=4")
    with pytest.raises(ValueError, match=r"a run with 2 clips a step, and 4 now"):
        fit(tmp_path, *again, "--trainer.accumulate_grad_batches=2")
    fit(tmp_path, *again)


def test_last_means_a_checkpoint_that_is_there(tmp_path):
    with pytest.raises(ValueError, match=r"got `--ckpt_path last`, and no checkpoint in .*checkpoints; .*start anew without"):
        fit(tmp_path, "--ckpt_path=last")
    assert not (tmp_path / "bundle").exists()


def test_a_limited_epoch_has_other_clips_each_time(tmp_path, monkeypatch, no_export):
    names: list[list[str]] = []
    step = LitVideoTokenizer.training_step
    monkeypatch.setattr(LitVideoTokenizer, "training_step", lambda *given: names.append(given[1]["names"]) or step(*given))
    fit(tmp_path / "limited", "--trainer.max_steps=4", "--trainer.limit_train_batches=2", "--trainer.max_epochs=-1")
    limited, names[:] = list(names), []
    fit(tmp_path / "whole", "--trainer.max_steps=4")
    assert limited == names and len({name for batch in names for name in batch}) == 8


def test_the_folder_of_the_bundle_is_tried_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(LitVideoTokenizer, "training_step", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(ValueError, match=r"cannot write the bundle .*new/bundle: the folder .*new does not exist; make it"):
        fit(tmp_path / "run", f"--export.folder={tmp_path / 'new' / 'bundle'}")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="something that is no bundle is there; name another folder"):
        fit(tmp_path / "run", f"--export.folder={tmp_path / 'full'}")


def test_what_a_file_manager_leaves_in_a_bundle_is_no_hindrance(tmp_path):
    for _ in range(2):
        save_bundle(tmp_path / "bundle", tiny.tokenizer(FSQ((5, 5, 5))), video={"height": 32, "width": 32, "fps": 12.0})
        (tmp_path / "bundle" / ".DS_Store").write_bytes(b"Bud1")
    (tmp_path / "bundle" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="something that is no bundle is there"):
        save_bundle(tmp_path / "bundle", tiny.tokenizer(FSQ((5, 5, 5))), video={"height": 32, "width": 32, "fps": 12.0})


@pytest.mark.parametrize("name", ["tiny_tokenizer", "train/configs/tiny_tokenizer.yaml"])
def test_shipped_configurations_go_by_name_from_anywhere(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    for words in (["--config", name], [f"--config={name}"]):
        with pytest.raises(SystemExit) as printed:
            main(["fit", *words, "--print_config"])
        assert printed.value.code in (0, None)
        assert "class_path: framecast.train.LitVideoTokenizer" in capsys.readouterr().out


QUANTIZERS = {"FSQ": lambda: FSQ((5, 5, 5)), "LFQ": lambda: LFQ(6), "VQ": lambda: VQ(16, 4)}


@pytest.mark.parametrize("name", QUANTIZERS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_latents_that_are_not_finite_poison_nothing(name, value):
    torch.manual_seed(0)
    quantizer = QUANTIZERS[name]().train()
    latents = torch.randn(2, 1, 4, 4, quantizer.dim)
    quantizer(latents)
    before = {key: state.clone() for key, state in quantizer.state_dict().items()}
    latents[1, 0, 2, 3, 0] = value
    found = quantizer(latents.requires_grad_())
    assert found.tokens.min() >= 0 and found.tokens.max() < quantizer.codebook_size
    assert not found.loss.isfinite() and quantizer.training
    assert found.latents[0].isfinite().all() and not found.latents[1].isfinite().all()
    for key, state in quantizer.state_dict().items():
        assert torch.equal(state, before[key]), key
    assert quantizer(torch.randn(2, 1, 4, 4, quantizer.dim)).loss.isfinite()


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


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_resumed_run_keeps_its_precision_whatever_is_measured_then(tmp_path, monkeypatch, no_export, precision):
    def rates_for(best: str) -> None:
        rates = ProductRates(float32=1e11, bfloat16=1e12 if best == "bf16-mixed" else 1e9)
        monkeypatch.setattr("framecast.machine.product_rates", lambda: rates)

    rates_for(precision)
    fit(tmp_path, "--trainer.max_steps=1")
    path = tmp_path / "checkpoints" / "last.ckpt"
    assert precision_of(path) == precision
    rates_for("32-true" if precision == "bf16-mixed" else "bf16-mixed")
    fit(tmp_path, "--ckpt_path=last")
    assert AtomicCheckpointIO().load_checkpoint(path)["precision"] == precision == precision_of(path)
    assert precision_of(tmp_path / "none.ckpt") is None
