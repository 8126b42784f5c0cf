"""The order of the clips, which resumes exactly."""

from itertools import islice

import pytest

from framecast.data.sampler import ResumableSampler


def take(sampler: ResumableSampler, n: int) -> list[int]:
    return list(islice(sampler, n))


def test_each_epoch_is_another_permutation():
    items = take(ResumableSampler(10, seed=3), 30)
    epochs = [items[:10], items[10:20], items[20:]]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_seeds_differ_and_repeat():
    assert take(ResumableSampler(50, seed=1), 50) == take(ResumableSampler(50, seed=1), 50)
    assert take(ResumableSampler(50, seed=1), 50) != take(ResumableSampler(50, seed=2), 50)


@pytest.mark.parametrize("position", range(25))
def test_a_resumed_sampler_goes_on_at_the_next_item(position):
    resumed = ResumableSampler(10, seed=3)
    resumed.load_state_dict({"position": position})
    assert resumed.state_dict() == {"position": position}
    assert take(resumed, 20) == take(ResumableSampler(10, seed=3), 45)[position : position + 20]


@pytest.mark.parametrize("position", [0, 9, 12])
@pytest.mark.parametrize("num_ranks", [2, 3, 12])
def test_ranks_share_one_order(num_ranks, position):
    samplers = [ResumableSampler(10, seed=3, rank=rank, num_ranks=num_ranks) for rank in range(num_ranks)]
    for sampler in samplers:
        sampler.load_state_dict({"position": position})
    shared = [item for items in zip(*(take(sampler, 5) for sampler in samplers), strict=True) for item in items]
    assert shared == take(ResumableSampler(10, seed=3), 90)[position : position + 5 * num_ranks]


def test_nothing_to_draw_from_is_an_error():
    with pytest.raises(ValueError, match=r"got 0 items .* at least 1"):
        ResumableSampler(0)
    with pytest.raises(ValueError, match="rank 2 of 2"):
        ResumableSampler(5, rank=2, num_ranks=2)


def test_a_sampler_begins_its_next_turn_where_it_is_told():
    sampler = ResumableSampler(10, seed=3)
    first = [next(iter(sampler)) for _ in range(2)]
    assert first[0] == first[1]  # nobody said that one was used
    sampler.position = 4
    whole = ResumableSampler(10, seed=3).epoch_order(0)
    assert next(iter(sampler)) == whole[4]
