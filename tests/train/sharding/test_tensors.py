"""Rows that processes hold."""

import pytest
import torch

from framecast.train.sharding.tensors import held_rows, is_split, local, rows_of, swap, whole


@pytest.mark.parametrize("length", [0, 1, 5, 8, 13])
@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_rows_of_all_processes_are_all_rows(length, world):
    rows = [row for rank in range(world) for row in range(length)[rows_of(length, rank, world)]]
    assert rows == list(range(length))
    sizes = [len(range(length)[rows_of(length, rank, world)]) for rank in range(world)]
    assert sizes[0] == max(sizes)
    assert [len(chunk) for chunk in torch.arange(length).chunk(world)] == [size for size in sizes if size] or not length


def test_a_whole_tensor_is_held_whole():
    tensor = torch.arange(6.0, requires_grad=True)
    rows, places = held_rows(tensor, slice(2, 5))
    assert not is_split(tensor) and torch.equal(local(tensor), whole(tensor)) and rows.tolist() == [2.0, 3.0, 4.0]
    assert places == slice(0, 3) and not rows.requires_grad
    rows.zero_()
    assert tensor.tolist() == [0.0, 1.0, 0.0, 0.0, 0.0, 5.0]  # the same memory


def test_swapping_twice_changes_nothing():
    one, other = torch.nn.Parameter(torch.ones(3)), torch.zeros(3)
    memory = one.data_ptr()
    swap(one, other)
    assert (one.tolist(), other.tolist(), one.data_ptr()) == ([0.0] * 3, [1.0] * 3, memory)
    swap(one, other)
    assert one.tolist() == [1.0] * 3
