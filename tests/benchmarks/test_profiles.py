"""What operators count as, what is left for dispatch, and that the trainings that are profiled do train."""

from types import SimpleNamespace

import pytest
import torch

from benchmarks.profiles import DISPATCH, OPERATORS, Job, kind_of, profiles_of, summary, table
from benchmarks.recipes import TRAININGS, LoopByHand


def event(name: str, *parents: str) -> SimpleNamespace:
    parent = event(*parents) if parents else None
    return SimpleNamespace(name=name, cpu_parent=parent)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["aten::mm"], "products"),
        (["mkldnn::_linear_pointwise", "aten::linear"], "products"),
        (["aten::bmm"], "attention"),
        (["aten::convolution_backward"], "convolutions"),
        (["aten::copy_", "aten::to"], "copies and reorders"),
        (["aten::some_new_operator"], "norms and elementwise"),
        (["aten::mul", "aten::mul", "sampling"], "sampling and loss"),
        (["aten::view", "sampling"], DISPATCH),
        (["aten::to"], DISPATCH),
        (["AddmmBackward0"], DISPATCH),
        (["autograd::engine::evaluate_function: MulBackward0"], DISPATCH),
    ],
)
def test_an_operator_has_a_kind(names, kind):
    assert kind_of(event(*names)) == kind


def test_dispatch_is_what_is_left_of_the_least_time():
    kinds = dict.fromkeys(OPERATORS, 0.0)
    rounds = [(5.0, {**kinds, "products": 3.0}, {"aten::mm": 3.0}), (4.0, {**kinds, "products": 3.5}, {"aten::mm": 3.5})]
    found = summary("a job", "call", rounds)
    assert (found.seconds, found.kinds["products"], found.kinds[DISPATCH]) == (4.0, 3.0, 1.0)
    assert found.largest == {"aten::mm": 3.0}
    assert summary("a job", "call", [(1.0, {**kinds, "products": 3.0}, {})]).kinds[DISPATCH] == 0


def test_a_job_is_profiled_beside_what_it_was_before():
    x = torch.randn(400, 400)
    after, before = profiles_of(Job("squares", "square", lambda: x @ x, lambda: (x @ x) @ x), rounds=3)
    assert (after.name, before.name) == ("squares", "squares, before")
    assert 0 < after.kinds["products"] < before.kinds["products"]
    assert sum(after.kinds.values()) == pytest.approx(max(after.seconds, sum(after.kinds.values())))
    assert table([after, before]).row_count == 2


@pytest.mark.parametrize("name", TRAININGS)
def test_steps_by_hand_train(name):
    module, batch = TRAININGS[name]()
    before = [parameter.detach().clone() for parameter in module.network.parameters()]
    LoopByHand(module, batch)()
    assert any(not torch.equal(old, new) for old, new in zip(before, module.network.parameters(), strict=True))
