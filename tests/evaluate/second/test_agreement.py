"""How far two readers agree."""

import numpy as np
import pytest

from framecast.data.sprites import ObjectDescription
from framecast.evaluate.second.agreement import kappa, second_opinions
from framecast.evaluate.second.reader import SecondOpinion, SecondVerdict

TOLD = ObjectDescription("ring", "red", None, "falls")


def verdict(*wrong: str) -> SecondVerdict:
    marks = {mark: mark not in wrong for mark in ("colour", "shape", "motion")}
    return SecondVerdict((SecondOpinion(TOLD, size=float("nan"), **marks),), "number" not in wrong)


def test_kappa_is_that_of_cohen():
    table = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert kappa(*zip(*table, strict=True)) == pytest.approx(0.4)  # 0.7 agree, 0.5 by chance
    assert kappa([True, False], [True, False]) == 1 and np.isnan(kappa([True], [True]))


def test_figures_are_of_generated_clips_beside_true_ones():
    made, true = [verdict(), verdict("shape"), verdict("number"), verdict("motion")], [verdict()] * 3 + [verdict("motion")]
    found = {figure.name: figure for figure in second_opinions("seen", made, true, [True, False, True, False])}
    assert found["everything right, second reader, seen"].value == 25
    assert found["everything right, second reader, seen"].reference == 75
    assert found["motion right, second reader, seen"].value == 75 == found["number of objects right, second reader, seen"].value
    assert np.isnan(found["size right, second reader, seen"].value)
    assert found["size right, second reader, seen"].reference is None
    assert found["both readers agree on everything right, seen"].value == 75
    assert found["kappa of both readers, everything right, seen"].value == pytest.approx(0.5)
