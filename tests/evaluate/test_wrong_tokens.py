"""What tokens cost that the video LM takes for others."""

import pytest
import tiny
import torch

from framecast.evaluate.wrong_tokens import WrongTokens, with_second_choices
from framecast.model import to_sequence


@pytest.mark.parametrize("factorise_above", [64, 2])
def test_a_second_choice_is_the_likeliest_of_all_other_tokens(factorise_above):
    lm = tiny.video_lm(factorise_above=factorise_above)
    tokens = tiny.tokens(lm, 2, batch_size=1)
    hidden = torch.randn(1, tokens.numel(), lm.config.width, generator=tiny.rng())
    chosen = torch.arange(tokens.numel()) % 3 == 0
    wrong, true = to_sequence(with_second_choices(lm, hidden, tokens, chosen))[0], to_sequence(tokens)[0]
    assert torch.equal(wrong[~chosen], true[~chosen])
    ranks = lm.vocabulary.logits(hidden[0]).argsort(dim=-1, descending=True)
    for at in chosen.nonzero().flatten():
        assert wrong[at] == next(token for token in ranks[at] if token != true[at])


def test_more_wrong_tokens_cost_more():
    tokenizer = tiny.tokenizer()
    lm = tiny.video_lm(codebook_size=tokenizer.codebook_size, frame_shape=(4, 4))
    wrong = WrongTokens()
    for seed in range(4):
        video = tiny.video(5, batch_size=1, seed=seed)
        tokens = tokenizer.encode(video)
        video = tokenizer.decode(tokens).clamp(-1, 1)  # so that true tokens are the best there are
        hidden = torch.randn(1, tokens.numel(), lm.config.width, generator=tiny.rng(seed))
        wrong.note(tokenizer, lm, hidden, tokens, video)
    none, one, five, ten = wrong.figures()
    assert none.value > 60
    assert 0 <= one.value <= five.value <= ten.value
    assert ten.value > 0
    assert five.target == "<= 1 (L4)"
