"""Rotary positions against a loop written by hand, and far out in time."""

import math

import pytest
import tiny
import torch

from framecast.model.positions import SPACE_BASE, TIME_BASE, frame_positions, rotary, rotate, split_pairs


@pytest.mark.parametrize(("head_dim", "pairs"), [(64, (12, 10, 10)), (32, (6, 5, 5)), (8, (2, 1, 1)), (2, (1, 0, 0))])
def test_pairs_are_shared_out(head_dim, pairs):
    assert split_pairs(head_dim) == pairs
    assert all(sum(split_pairs(d)) == d // 2 for d in range(2, 130, 2))


def test_rotation_equals_a_loop():
    head_dim = 24
    generator = tiny.rng()
    x = torch.randn(2, 3, 5, head_dim, generator=generator)
    places = torch.randint(0, 50, (5, 3), generator=generator)
    turned = rotate(x, rotary(places, head_dim))
    for s, (t, h, w) in enumerate(places.tolist()):
        angles = []
        for place, pairs, base in zip((t, h, w), split_pairs(head_dim), (TIME_BASE, SPACE_BASE, SPACE_BASE), strict=True):
            angles += [place * base ** (-i / pairs) for i in range(pairs)]
        for pair, angle in enumerate(angles):
            a, b = x[:, :, s, pair], x[:, :, s, pair + head_dim // 2]
            expected = a * math.cos(angle) - b * math.sin(angle), b * math.cos(angle) + a * math.sin(angle)
            torch.testing.assert_close(turned[:, :, s, pair], expected[0], atol=1e-5, rtol=0)
            torch.testing.assert_close(turned[:, :, s, pair + head_dim // 2], expected[1], atol=1e-5, rtol=0)


def scores(turn, start: int) -> torch.Tensor:
    """Products of queries and keys of eight latent frames of one token, the first of which lies at `start`."""
    queries, keys = torch.randn(2, 1, 1, 8, 64, generator=tiny.rng())
    places = frame_positions(torch.arange(8) + start, 1, 1)
    return rotate(queries, turn(places, 64)) @ rotate(keys, turn(places, 64)).transpose(-1, -2)


@pytest.mark.parametrize("start", [1, 1000, 10**7])
def test_only_distances_matter_however_far_out(start):
    torch.testing.assert_close(scores(rotary, start), scores(rotary, 0), atol=1e-5, rtol=0)


def test_control_angles_in_float32_are_wrong_far_out():
    def imprecise(places, head_dim):
        exponents = torch.arange(head_dim // 2) / (head_dim // 2)
        angles = places[..., :1].float() * TIME_BASE**-exponents
        return angles.cos(), angles.sin()

    torch.testing.assert_close(scores(imprecise, 1000), scores(imprecise, 0), atol=0.1, rtol=0)
    assert (scores(imprecise, 10**7) - scores(imprecise, 0)).abs().max() > 0.1


def test_rotation_keeps_length_and_place_zero_is_no_turn():
    x = torch.randn(1, 2, 3, 16, generator=tiny.rng())
    places = torch.tensor([[0, 0, 0], [3, 1, 4], [10**7, 9, 9]])
    turned = rotate(x, rotary(places, 16))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(turned[:, :, 0], x[:, :, 0])
    assert rotate(x.bfloat16(), rotary(places, 16)).dtype == torch.bfloat16


def test_frame_positions_are_in_raster_order():
    expected = [[t, h, w] for t in (7, 3) for h in range(2) for w in range(3)]
    assert frame_positions(torch.tensor([7, 3]), 2, 3).tolist() == expected
    batched = frame_positions(torch.tensor([[5], [8]]), 2, 3)
    assert batched.shape == (2, 6, 3) and batched[1].tolist() == [[8, h, w] for h in range(2) for w in range(3)]
