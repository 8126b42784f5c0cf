"""States are plain values: copied, repeated and reordered without sharing memory."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from framecast.state import State, States, map_tensors


@dataclass
class Leaf(State):
    data: Tensor
    started: bool


@dataclass
class Tree(State):
    leaves: States
    age: Tensor
    name: str


def tree() -> Tree:
    leaves = States(Leaf(torch.arange(6.0).reshape(3, 2) + 10 * i, started=bool(i)) for i in range(2))
    return Tree(leaves, torch.tensor([5, 6, 7]), "a")


def test_clone_shares_no_memory():
    original = tree()
    copy = original.clone()
    assert type(copy) is Tree and type(copy.leaves) is States and type(copy.leaves[0]) is Leaf
    copy.leaves[1].data.zero_()
    copy.leaves[0].started = True
    copy.age += 1
    assert original.leaves[1].data[0].tolist() == [10, 11] and original.leaves[0].started is False
    assert original.age.tolist() == [5, 6, 7]


def test_expand_repeats_each_row():
    wide = tree().expand(2)
    assert wide.age.tolist() == [5, 5, 6, 6, 7, 7]
    assert wide.leaves[0].data[:, 0].tolist() == [0, 0, 2, 2, 4, 4]
    assert (wide.leaves[0].started, wide.leaves[1].started, wide.name) == (False, True, "a")
    wide.age[0] = 99
    assert wide.age[1] == 5  # new memory, no view of one row


@pytest.mark.parametrize("rows", [[2, 0], torch.tensor([2, 0])])
def test_select_takes_rows_in_order(rows):
    original = tree()
    some = original.select(rows)
    assert some.age.tolist() == [7, 5] and some.leaves[1].data.tolist() == [[14, 15], [10, 11]]
    some.age.zero_()
    assert original.age.tolist() == [5, 6, 7]
    assert original.select([]).age.shape == (0,)


def test_a_tuple_of_states_is_a_state():
    states = tree().leaves
    assert isinstance(states, tuple) and isinstance(states, State)
    assert type(states.select([1])) is States and states.select([1])[0].data.tolist() == [[2, 3]]
    assert type(states.clone()) is States and states.clone()[0].data is not states[0].data


def test_map_tensors_keeps_everything_else():
    value = (torch.ones(1), 3, None, "x", Leaf(torch.ones(2), True))
    doubled = map_tensors(lambda x: x * 2, value)
    assert doubled[0].tolist() == [2] and doubled[1:4] == (3, None, "x")
    assert doubled[4].data.tolist() == [2, 2] and doubled[4].started is True
    assert value[4].data.tolist() == [1, 1]
    assert map_tensors(torch.clone, Leaf) is Leaf  # a class is no value of it
