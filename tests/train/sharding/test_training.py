"""Trainings whose weights are split over two processes: as one process trains, and as if they had never stopped."""

import json
import time
from pathlib import Path

import pytest
import sharded_trainings
import tiny
import torch
from lm_trainings import TOKENIZER, VIDEO
from sharded_trainings import both, train

from framecast.sample import load_bundle, save_bundle
from framecast.tokenizer import FSQ
from framecast.train import AtomicCheckpointIO
from framecast.train.checkpoint_bundle import export_checkpoint
from framecast.train.sharding.parts import is_in_parts, read_manifest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
NAMES = ("whole", "drawn", "parts", "parts again", "other again", "muon", "summed", "low", "begun", "stopped", "broken")
LOSS = {"rtol": 1e-5, "atol": 0.0}
NORM = {"rtol": 2e-5, "atol": 0.0}
WEIGHT = {"rtol": 0.0, "atol": 2e-5}
"""Sums in another order differ in their last bits, and Adam makes more of that in weights whose gradients are next to zero."""


def _root(folder: Path) -> Path:
    save_bundle(folder / "tokenizer", tiny.tokenizer(FSQ((4, 4)), TOKENIZER), video=VIDEO)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """All runs: those of one process in `one`, those of two in `two`."""
    root = _root(tmp_path_factory.mktemp("sharded"))
    for name in ("whole", "muon", "summed", "low", "begun"):
        train(root, name, 1)
    train(root, "other", 1, f"--trainer.default_root_dir={root / 'two' / 'other'}")  # begun by one process
    processes = both(root, *NAMES)
    said = [process.communicate(timeout=1200)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(said)
    for rank, text in enumerate(said):
        (root / f"said_by_{rank}.txt").write_text(text)
    return root


def losses(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each step, and the norms of its gradient."""
    loss, norm = zip(*json.loads((folder / "losses.json").read_text()), strict=True)
    return torch.tensor(loss), torch.tensor(norm)


def last(folder: Path) -> dict:
    return AtomicCheckpointIO().load_checkpoint(folder / "checkpoints" / "last.ckpt")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_bundle(folder / "bundle").lm.state_dict()


def assert_close(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, **WEIGHT, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("name", ["whole", "muon", "begun"])
def test_two_processes_train_as_one_that_sees_the_same_clips(root, name):
    one, two = losses(root / "one" / name), losses(root / "two" / name)
    torch.testing.assert_close(two[0], one[0], **LOSS)
    torch.testing.assert_close(two[1], one[1], **NORM)
    assert_close(weights(root / "two" / name), weights(root / "one" / name))


def test_gradients_of_several_batches_are_summed_and_clipped_alike(root):
    """By the losses. Muon makes steps of directions that are next to nothing, so other last bits make other weights there."""
    one, two = losses(root / "one" / "summed"), losses(root / "two" / "summed")
    torch.testing.assert_close(two[0], one[0], **LOSS)
    torch.testing.assert_close(two[1], one[1], **NORM)
    assert float(one[1].max()) > 0.1  # something was clipped


def test_control_other_weights_are_not_close(root):
    with pytest.raises(AssertionError):
        assert_close(weights(root / "two" / "whole"), weights(root / "one" / "begun"))


def test_a_start_is_the_bundle_and_not_chance(root):
    begun, anew = losses(root / "two" / "begun")[0][0], losses(root / "two" / "whole")[0][0]
    assert begun < anew


def test_a_resumed_run_is_the_run_that_never_stopped(root):
    """To the last bit: weights, averages, optimizer and the random states of both processes."""
    one, other = last(root / "two" / "drawn"), last(root / "two" / "parts")
    pairs = [(each["state_dict"], each["callbacks"]["EMA"]["average"]) for each in (one, other)]
    for a, b in zip(*pairs, strict=True):
        assert a.keys() == b.keys() and not [name for name in a if not torch.equal(a[name], b[name])]
    states = [each["optimizer_states"][0]["state"] for each in (one, other)]
    assert all(torch.equal(states[0][i][name], states[1][i][name]) for i in states[0] for name in states[0][i])
    ranks = [[rank["cpu"] for rank in each["random_state"]["ranks"]] for each in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(*ranks, strict=True))
    assert not torch.equal(*ranks[0])  # they draw apart


def test_a_run_of_one_process_goes_on_in_two(root):
    assert_close(weights(root / "two" / "other"), weights(root / "one" / "whole"))
    torch.testing.assert_close(losses(root / "two" / "other")[0], losses(root / "one" / "whole")[0][2:], **LOSS)
    assert is_in_parts(root / "two" / "other" / "checkpoints" / "last.ckpt")


def test_mixed_precision_and_checkpointed_activations_train_alike(root):
    one, two = losses(root / "one" / "low"), losses(root / "two" / "low")
    torch.testing.assert_close(two[0], one[0], rtol=1e-4, atol=0.0)
    assert last(root / "two" / "low")["precision"] == "bf16-mixed"


def test_a_checkpoint_in_parts_gives_the_bundle_of_its_training(root, tmp_path):
    checkpoint = root / "two" / "whole" / "checkpoints" / "last.ckpt"
    assert read_manifest(checkpoint).processes == 2
    bundle = load_bundle(export_checkpoint(checkpoint, tmp_path / "bundle"))
    found, wanted = bundle.lm.state_dict(), weights(root / "two" / "whole")
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


def test_no_process_has_all_rows(root):
    folder = root / "two" / "whole" / "checkpoints" / "last.ckpt"
    sizes = [(folder / read_manifest(folder).part_file(rank)).stat().st_size for rank in range(2)]
    whole = sum(value.nbytes for value in last(root / "two" / "whole")["state_dict"].values())
    assert all(4 * 0.5 * whole < size < 4 * 0.65 * whole for size in sizes)  # weights, average and two means, and names


def test_samples_are_looked_at_in_whole_weights(root):
    assert (root / "two" / "whole" / "samples" / "step_000004.png").is_file()


def test_a_run_of_two_processes_goes_on_in_one(root):
    folder, steady = root / "two" / "low", root / "one" / "low"
    for each in (folder, steady):
        train(root, "low", 1, f"--trainer.default_root_dir={each}", "--ckpt_path=last", "--trainer.max_steps=3")
    checkpoint = folder / "checkpoints" / "last.ckpt"
    assert checkpoint.is_file() and not checkpoint.with_name("last.ckpt.before").exists()
    assert last(folder)["global_step"] == 3
    torch.testing.assert_close(losses(folder)[0], losses(steady)[0], rtol=1e-3, atol=0.0)


def test_ctrl_c_in_one_process_ends_all_after_the_same_step(root):
    for rank in range(2):
        said = (root / f"said_by_{rank}.txt").read_text()
        assert "stopped by SIGINT at step 2; go on with --ckpt_path last" in said and "stopped ended with 130" in said
        assert "is gone" not in said
    checkpoint = last(root / "two" / "stopped")
    assert checkpoint["global_step"] == 2
    found = load_bundle(root / "two" / "stopped" / "bundle_so_far").lm.state_dict()
    average = checkpoint["callbacks"]["EMA"]["average"]
    assert all(torch.equal(found[name], value) for name, value in average.items())


def test_a_weight_that_is_no_number_in_one_process_ends_all_without_a_checkpoint(root):
    for rank in range(2):
        said = (root / f"said_by_{rank}.txt").read_text()
        assert "got values that are not finite in lm.norm.weight at step" in said and "broken ended with 1" in said
    assert "the gradient is not finite; this batch changes nothing" in (root / "said_by_0.txt").read_text()
    assert not list((root / "two" / "broken" / "checkpoints").iterdir())


def test_who_is_killed_is_named_by_the_others(tmp_path):
    processes = both(_root(tmp_path), "killed")
    processes[1].wait(timeout=600)
    died = time.monotonic()
    said, _ = processes[0].communicate(timeout=60)
    assert time.monotonic() - died < 5
    assert f"process 1 of 2 ({_host()}, pid {processes[1].pid}) is gone; process 0 cannot go on without it" in said
    assert processes[0].returncode == 1


def _host() -> str:
    return sharded_trainings.socket.gethostname()
