"""The end of every training is a bundle."""

import pytest
import torch
from trainings import fit, fit_six, last

from framecast.sample import SamplingParams, load_bundle
from framecast.train import LitVideoTokenizer
from framecast.train.checkpoint_bundle import export_checkpoint


def test_fit_ends_with_a_bundle_and_logs_what_it_did(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit_six(tmp_path, "--trainer.log_every_n_steps=2")
    bundle = load_bundle(tmp_path / "bundle")
    average = last(tmp_path)["callbacks"]["EMA"]["average"]
    for name, parameter in bundle.tokenizer.named_parameters():
        assert torch.equal(parameter, average[name]), name  # the averaged weights, not the last ones
    log = EventAccumulator(str(tmp_path / "lightning_logs" / "version_0"))
    log.Reload()
    wanted = {"train/psnr", "val/psnr", "val/one_colour_psnr", "codebook/usage", "codebook/dead", "throughput/frames_per_second"}
    assert wanted <= set(log.Tags()["scalars"])
    (picture, *_) = log.Images("reconstructions")
    assert picture.encoded_image_string.startswith(b"\x89PNG")
    assert b"acTL" in picture.encoded_image_string  # it moves


def test_a_run_shorter_than_the_way_to_its_first_validation_has_one_at_its_end(tmp_path, capsys):
    fit(tmp_path, "--trainer.val_check_interval=500", "--export.licence=MIT", "--export.sampling={temperature: 0.5}")
    bundle = load_bundle(tmp_path / "bundle")
    training = bundle.training
    assert bundle.params == SamplingParams(temperature=0.5)
    again = export_checkpoint(tmp_path / "checkpoints" / "last.ckpt", tmp_path / "again")
    assert load_bundle(again).params == bundle.params
    assert {"val/psnr", "val/one_colour_psnr"} <= set(training["metrics"]) and training["licence"] == "MIT"
    assert (tmp_path / "samples" / "step_000002.png").is_file()
    said = capsys.readouterr().out
    assert f"framecast reconstruct VIDEO --bundle {tmp_path / 'bundle'} --out beside.mp4" in said
    assert "reconstructs held-out video with" in said and "codes in use" in said and "no licence" not in said


def test_a_checkpoint_is_exported_while_the_training_runs(tmp_path, monkeypatch):
    step, exported = LitVideoTokenizer.training_step, []

    def export(self, *given):
        if self.global_step == 2:
            exported.append(export_checkpoint(tmp_path / "checkpoints" / "last.ckpt", tmp_path / "early"))
        return step(self, *given)

    monkeypatch.setattr(LitVideoTokenizer, "training_step", export)
    fit(tmp_path, "--trainer.max_steps=3", "--checkpointing.every_n_train_steps=1")
    assert load_bundle(exported[0]).training["steps"] == 2
    assert load_bundle(tmp_path / "bundle").training["steps"] == 3


def test_the_folder_of_the_bundle_is_tried_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(LitVideoTokenizer, "training_step", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(ValueError, match=r"cannot write the bundle .*new/bundle: the folder .*new does not exist; make it"):
        fit(tmp_path / "run", f"--export.folder={tmp_path / 'new' / 'bundle'}")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="something that is no bundle is there; name another folder"):
        fit(tmp_path / "run", f"--export.folder={tmp_path / 'full'}")
