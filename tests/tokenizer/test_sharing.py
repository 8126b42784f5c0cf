"""Codebooks of two processes follow what both see, as that of one process that sees all."""

import processes
import pytest
import torch
from processes import codebooks, in_two, latents, learned


@pytest.fixture(scope="module")
def both():
    return in_two(codebooks)


@pytest.mark.parametrize("kind", ["VQ", "ResidualVQ"])
def test_two_processes_learn_what_one_learns_of_all(both, kind):
    whole = learned(kind, latents(), shared=False)
    for process in both:
        for name, value in whole.items():
            torch.testing.assert_close(process[f"{kind} shared"][name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["VQ", "ResidualVQ"])
def test_without_sharing_each_learns_its_own(both, kind):
    first, second = (process[f"{kind} apart"] for process in both)
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_codebooks_that_begin_and_revive_codes_are_the_same_everywhere(both):
    first, second = (process["fresh"] for process in both)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert processes.NUM_CODES == len(first["codes._codebook.embed"][0].unique(dim=0))
