"""The codebook's health, and its collapse."""

from types import SimpleNamespace

import pytest
import torch
from trainings import NETWORK

from framecast.tokenizer import CodebookHealth
from framecast.train import CodebookCollapse, CodebookGuard, LitVideoTokenizer
from framecast.train.health import explain_use


def guard(tokens: torch.Tensor, step: int, **options) -> CodebookGuard:
    model, logged = LitVideoTokenizer(NETWORK), {}
    model.log = lambda name, value, **_: logged.update({name: value})
    guard = CodebookGuard(**options)
    guard.on_train_batch_end(SimpleNamespace(global_step=step, log_every_n_steps=1), model, {"tokens": tokens}, {}, 0)
    guard.logged = logged
    return guard


def test_the_guard_measures_the_codebook():
    logged = guard(torch.arange(100).reshape(1, 1, 10, 10), step=1).logged
    assert logged["codebook/usage"] == pytest.approx(0.1)
    assert logged["codebook/perplexity"] == pytest.approx(100)
    assert logged["codebook/dead"] == 900


def test_a_collapsed_codebook_ends_the_run():
    collapsed = torch.arange(10).repeat(200).reshape(1, 5, 20, 20)
    guard(collapsed, step=499)
    with pytest.raises(CodebookCollapse, match=r"used 10 of 1000 codes .* at least 5%; lower .*learning_rate"):
        guard(collapsed, step=500)
    guard(collapsed, step=500, min_usage=0)
    guard(torch.arange(60).repeat(100), step=500)


@pytest.mark.parametrize(
    ("seen", "codebook_size", "num_tokens", "early", "words"),
    [
        (612, 1000, 10**6, False, "612 of 1,000 codes in use, as varied as 612 used evenly: fine"),
        (60, 64_000, 100, False, "60 of 64,000 codes in use, as varied as 60 used evenly: fine"),
        (200, 1000, 10**6, True, "some are left over, as is usual early in a training"),
        (
            9000,
            64_000,
            10**6,
            False,
            "learns fewer codes sooner, as with `model.init_args.quantizer.init_args.levels: [8, 5, 5, 5]`",
        ),
        (50, 1000, 10**6, True, "few, so tokens tell little apart, as is usual early in a training"),
        (
            50,
            1000,
            10**6,
            False,
            "lower the learning rate, give clips that differ more, or take fewer codes, as with fewer `levels`",
        ),
    ],
)
def test_the_use_of_codes_is_explained(seen, codebook_size, num_tokens, early, words):
    health = CodebookHealth(seen / codebook_size, float(seen), codebook_size - seen)
    assert words in explain_use(health, codebook_size, num_tokens, early)
