"""What several tests of trainings begin with."""

import shutil
from pathlib import Path

import pytest
import tiny
from lm_trainings import TOKENIZER, VIDEO, prepared, tokens

from benchmarks.reliability.trials import Trial
from framecast.sample import save_bundle
from framecast.tokenizer import FSQ
from framecast.train import ExportBundle


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


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> Trial:
    """A training that reads its options and does not begin."""
    return Trial(tmp_path_factory.mktemp("untrained"))


@pytest.fixture
def no_export(monkeypatch):
    monkeypatch.setattr(ExportBundle, "on_fit_end", lambda *_: None)
