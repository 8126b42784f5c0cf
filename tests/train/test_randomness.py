"""What several processes draw: by each its own, kept and restored of each."""

from types import SimpleNamespace

import pytest
import torch
from processes import in_two, randomness

from framecast.train.randomness import begin_apart, random_state, restore

ALONE = SimpleNamespace(world_size=1, global_rank=0)


@pytest.fixture(scope="module")
def both():
    return in_two(randomness)


def test_processes_draw_apart_and_go_on_where_they_were(both):
    first, second = both
    assert torch.equal(first["same"], second["same"])  # one seed gave both the same
    assert not torch.equal(first["first"], second["first"])
    for process in both:
        assert torch.equal(process["later"], process["again"])
    assert not torch.equal(first["later"], second["later"])


def test_a_checkpoint_of_one_process_begins_two_that_draw_apart(both):
    assert not torch.equal(both[0]["from one"], both[1]["from one"])


def test_a_checkpoint_of_two_processes_goes_on_in_one_and_says_what_is_new(both):
    with pytest.warns(UserWarning, match="is of 2 processes, and there are 1: the clips of each step are those"):
        restore(both[0]["kept"], ALONE)
    assert not torch.equal(torch.rand(3), both[0]["later"])


def test_one_process_draws_as_its_seed_says():
    torch.manual_seed(3)
    begin_apart(ALONE)
    kept, drawn = random_state(ALONE), torch.rand(2)
    assert torch.equal(drawn, torch.rand(2, generator=torch.Generator().manual_seed(3)))
    restore(kept, ALONE)
    assert torch.equal(drawn, torch.rand(2)) and "ranks" not in kept
