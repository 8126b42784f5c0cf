"""Whatever file `--ckpt_path` names: it is refused with one kind of error, at once, and none of its code runs."""

import pickle
import resource
import time

import pytest

from benchmarks.reliability.hostile_checkpoints import MARKER, make_checkpoints
from framecast.train.checkpoint_reader import read_checkpoint
from framecast.train.restoring import TrainingCheckpointIO

MOST_MEMORY = 2**18  # KiB


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


def test_the_error_names_file_reason_and_remedy(tmp_path):
    (tmp_path / "x.ckpt").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"x\.ckpt cannot be read \(it is no archive of tensors\).*start anew"):
        read_checkpoint(tmp_path / "x.ckpt")
