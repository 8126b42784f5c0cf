"""A still scene repeats its tokens as far as noise does not change them."""

import pytest
import tiny
import torch

from framecast.evaluate.steadiness import steady_share
from framecast.tokenizer import FSQ


def test_without_noise_all_tokens_repeat_and_with_much_noise_few_do():
    tokenizer, picture = tiny.tokenizer(FSQ((8, 8, 8))).eval(), torch.rand(3, 3, 16, 16, generator=tiny.rng()) * 2 - 1
    still, little, much = (steady_share(tokenizer, picture, noise) for noise in (0.0, 2.0, 60.0))
    assert still.tolist() == [1.0, 1.0, 1.0]
    assert much.mean() < little.mean() < 1


def test_a_tokenizer_with_one_token_for_all_is_steady():
    tokenizer = tiny.tokenizer(FSQ((8, 8, 8))).eval()
    torch.nn.init.zeros_(tokenizer.encoder.head.weight)
    assert steady_share(tokenizer, torch.zeros(1, 3, 16, 16), 60.0).item() == pytest.approx(1)
