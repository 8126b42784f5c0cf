"""The best picture and its place, against a search through all of them by the formula."""

from functools import cache

import pytest
import torch
import torch.nn.functional as F

from framecast.evaluate import matching
from framecast.evaluate.matching import REACH, Found, match
from framecast.evaluate.templates import Templates


@cache
def templates() -> Templates:
    return Templates((2.5, 4.0))


def crops(shift: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Crops of some pictures, off the middle and with some noise; the last two are covered in part."""
    side = 2 * templates().half + 1
    pictures = templates().pictures[::40].unflatten(1, (side, side))
    seen = F.pad(pictures, [REACH + shift, REACH - shift, REACH - shift, REACH + shift])
    seen = (seen + 0.05 * torch.rand(seen.shape, generator=torch.Generator().manual_seed(0))).clamp(max=1)
    free = torch.ones_like(seen, dtype=torch.bool)
    free[-1, :, : REACH + side // 2] = free[-2, side // 2 + REACH + 2 :] = False
    return seen * free, free


def by_formula(seen: torch.Tensor, free: torch.Tensor) -> Found:
    """Whole windows, all places, every picture: |window - picture shown|^2 over the sum of both squares."""
    width, side, pictures = 2 * templates().half + 1, 2 * REACH + 1, templates().pictures
    windows, room = (F.unfold(x[:, None].float(), width).transpose(1, 2)[:, :, None] for x in (seen, free))
    misfit = (windows - pictures * room).square().sum(-1) / (windows.square().sum(-1) + (pictures * room).square().sum(-1) + 1)
    best, place = misfit.min(dim=1)
    shown = ((pictures * room).square().sum(-1) / templates().masses).gather(1, place[:, None])[:, 0]
    return Found(best, torch.stack([place % side - REACH, place // side - REACH], dim=2), shown)


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_the_best_picture_is_found_as_by_the_formula(shift):
    seen, free = crops(shift)
    found, wanted = match(templates(), seen, free), by_formula(seen, free)
    rows, picture = torch.arange(len(seen)), wanted.misfit.argmin(dim=1)
    assert torch.equal(found.misfit.argmin(dim=1), picture)
    for one, other in ((found.misfit, wanted.misfit), (found.shown, wanted.shown), (found.shift, wanted.shift)):
        torch.testing.assert_close(one[rows, picture], other[rows, picture], atol=1e-5, rtol=0)


def test_each_picture_is_found_as_by_the_formula():
    seen, free = crops(1)
    found, wanted = match(templates(), seen, free), by_formula(seen, free)
    torch.testing.assert_close(found.misfit, wanted.misfit, atol=1e-5, rtol=0)


def test_a_control_that_looks_too_near_is_noticed(monkeypatch):
    monkeypatch.setattr(matching, "REACH", 2)
    seen, free = crops(3)
    assert not torch.allclose(
        match(templates(), seen[:, 2:-2, 2:-2], free[:, 2:-2, 2:-2]).misfit, by_formula(seen, free).misfit, atol=0.05
    )


def test_no_crops_give_nothing():
    side = 2 * (templates().half + REACH) + 1
    found = match(templates(), torch.zeros(0, side, side), torch.zeros(0, side, side, dtype=torch.bool))
    assert found.misfit.shape == found.shown.shape == (0, len(templates().pictures))
