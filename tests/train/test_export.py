"""The end of every training is a bundle."""

import pytest
import torch
from trainings import fit, fit_six, last

from framecast.sample import load_bundle
from framecast.train import LitVideoTokenizer


def test_fit_ends_with_a_bundle_and_logs_what_it_did(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit_six(tmp_path, "--trainer.log_every_n_steps=2")
    bundle = load_bundle(tmp_path / "bundle")
    average = last(tmp_path)["callbacks"]["EMA"]["average"]
    for name, parameter in bundle.tokenizer.named_parameters():
        assert torch.equal(parameter, average[name]), name  # the averaged weights, not the last ones
    log = EventAccumulator(str(tmp_path / "lightning_logs" / "version_0"))
    log.Reload()
    wanted = {"train/psnr", "val/psnr", "codebook/usage", "codebook/dead", "throughput/frames_per_second"}
    assert wanted <= set(log.Tags()["scalars"])
    (picture, *_) = log.Images("reconstructions")
    assert picture.encoded_image_string.startswith(b"\x89PNG")
    assert b"acTL" in picture.encoded_image_string  # it moves


def test_the_folder_of_the_bundle_is_tried_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(LitVideoTokenizer, "training_step", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(ValueError, match=r"cannot write the bundle .*new/bundle: the folder .*new does not exist; make it"):
        fit(tmp_path / "run", f"--export.folder={tmp_path / 'new' / 'bundle'}")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="something that is no bundle is there; name another folder"):
        fit(tmp_path / "run", f"--export.folder={tmp_path / 'full'}")
