"""The codebook's health, and its collapse."""

from types import SimpleNamespace

import pytest
import torch
from trainings import NETWORK

from framecast.train import CodebookCollapse, CodebookGuard, LitVideoTokenizer


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
