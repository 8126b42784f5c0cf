"""Near tokens in the place of some: which, when, and what learns from them."""

import pytest
import tiny
import torch
from trainings import fit, last

from framecast.tokenizer import FSQ
from framecast.train.perturbation import Perturbation, replaced


def test_no_more_than_the_share_is_replaced_and_nothing_learns_through_it():
    torch.manual_seed(0)
    quantizer = FSQ((5, 5, 5)).eval()
    latents = torch.randn(200, 2, 4, 4, 3, generator=tiny.rng()).requires_grad_()
    quantized = quantizer(latents)
    result = replaced(quantizer, quantized, 0.5)
    changed = (result != quantized.latents).any(dim=-1)
    shares = changed.flatten(1).float().mean(dim=1)
    assert shares.mean() == pytest.approx(0.25, abs=0.03)
    assert shares.max() < 0.8
    moved = (result - quantized.latents).detach()[changed]
    assert ((moved != 0).sum(dim=1) == 1).all()  # one number,
    assert (moved.abs().amax(dim=1) == 0.5).all()  # by one level
    result.sum().backward()
    learns = latents.grad.abs().sum(dim=-1) > 0
    assert not learns[changed].any()
    assert learns[~changed].float().mean() > 0.9


def test_it_begins_late():
    late = Perturbation(share=0.1, start=0.67)
    assert [late.begun(step, 300) for step in (0, 200, 201, 299)] == [False, False, True, True]


@pytest.mark.parametrize("wrong", [{"share": 1.1}, {"share": -0.1}, {"start": 1.0}])
def test_shares_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=r"wanted a share in \[0, 1\] and a start in \[0, 1\)"):
        Perturbation(**wrong)


def test_a_training_with_it_says_what_is_left(tmp_path):
    fit(tmp_path, "--model.init_args.perturbation.share=0.1", "--model.init_args.perturbation.start=0")
    fit(tmp_path / "other")
    assert not torch.equal(
        *(last(folder)["state_dict"]["tokenizer.decoder.stem.weight"] for folder in (tmp_path, tmp_path / "other"))
    )
