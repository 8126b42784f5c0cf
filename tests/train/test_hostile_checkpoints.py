"""Whatever file `--ckpt_path` names: it is refused with one kind of error, at once, and none of its code runs."""

import pickle
import resource
import shutil
import time
from pathlib import Path

import pytest
import torch

from benchmarks.reliability.hostile_checkpoints import CHANGES, MARKER, make_checkpoints
from benchmarks.reliability.trials import Trial
from framecast.train import ExportBundle
from framecast.train.checkpoint_reader import read_checkpoint
from framecast.train.restoring import TrainingCheckpointIO, check_ckpt_path, check_strategy

MOST_MEMORY = 2**18  # KiB


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """A training of two steps, and the checkpoint of its first."""
    folder = tmp_path_factory.mktemp("trial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExportBundle, "on_fit_end", lambda *_: None)
        trial = Trial(folder, steps=1)
        trial.instantiate_trainer().fit(trial.model, trial.datamodule)
        shutil.copy(folder / "checkpoints" / "last.ckpt", folder / "sound.ckpt")
        yield Trial(folder, steps=2)


@pytest.fixture(scope="module")
def sound(trial) -> Path:
    return Path(trial.trainer.default_root_dir) / "sound.ckpt"


def test_foreign_files_are_refused_at_once_and_run_nothing(sound, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = 0
    for what, path in make_checkpoints(tmp_path, sound, changed=False):
        start = time.process_time()
        with pytest.raises(ValueError, match=r"checkpoint|wanted a regular file"):
            TrainingCheckpointIO().load_checkpoint(path)
            pytest.fail(what)
        assert time.process_time() - start < 2, what  # of processor time; it takes 0.01 s, two of them 0.5 s
        count += 1
    assert count > 70 and not (tmp_path / MARKER).exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY


def test_the_code_of_these_files_would_run_in_a_reader_that_let_it(sound, tmp_path):
    ran = 0
    for what, path in make_checkpoints(tmp_path, sound, changed=False):
        if what.startswith("code by REDUCE") and what.endswith("as it is"):
            pickle.loads(path.read_bytes())
            (tmp_path / MARKER).rmdir()
            ran += 1
    assert ran == 6


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_wrong_inside_is_said_before_the_first_step(trial, sound, tmp_path, what):
    path = tmp_path / "changed.ckpt"
    torch.save(CHANGES[what](torch.load(sound, weights_only=True)), path)
    with pytest.raises(ValueError, match=r"checkpoint .*; take "):
        TrainingCheckpointIO().load_checkpoint(path)
        trial.resume(path)  # some are sound, but not of this training


def test_a_sound_checkpoint_is_resumed(trial, sound):
    assert trial.resume(sound) == 2


def test_saved_hyper_parameters_are_not_looked_at(trial, sound, tmp_path):
    checkpoint = torch.load(sound, weights_only=True)
    checkpoint["hyper_parameters"] = {"_class_path": "planted_module.Model", "_instantiator": "os.system"}
    torch.save(checkpoint, tmp_path / "hyper.ckpt")
    config = trial.parse([f"--ckpt_path={tmp_path / 'hyper.ckpt'}"])
    trial.config = config
    trial._parse_ckpt_path()
    assert config.fit.model.class_path == "framecast.train.LitVideoTokenizer"


@pytest.mark.parametrize("path", ["best", "hpc", "registry:model", "http://127.0.0.1:9/x.ckpt", "s3://bucket/x", "", "/dev/zero"])
def test_only_last_and_files_are_checkpoints(path):
    check_ckpt_path("last")
    check_ckpt_path(None)
    with pytest.raises(ValueError, match="which is no file; wanted `last` or the file of a checkpoint"):
        check_ckpt_path(path)


def test_a_strategy_with_a_reader_of_its_own_is_refused():
    from lightning.pytorch.strategies import DDPStrategy, FSDPStrategy

    check_strategy(DDPStrategy())
    with pytest.raises(ValueError, match=r"FSDPStrategy, which reads checkpoints in its own way.*--trainer\.strategy"):
        check_strategy(FSDPStrategy())


def test_checkpoints_cannot_be_read_in_another_way(trial):
    with pytest.raises(ValueError, match=r"weights_only.*see `framecast train .*--help`"):
        trial.parse(["--weights_only=false"])


def test_the_error_names_file_reason_and_remedy(tmp_path):
    (tmp_path / "x.ckpt").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"x\.ckpt cannot be read \(it is no archive of tensors\).*start anew"):
        read_checkpoint(tmp_path / "x.ckpt")
