"""Objects behind a bar: what does not come out as it went in is noticed."""

import numpy as np
import pytest
import torch
from studies import Oracle, erased, figure, frozen, measured
from torch import Tensor

from framecast.data import SpriteWorld
from framecast.data.sprites import PASSES
from framecast.evaluate import persistence


def recoloured(clip: Tensor) -> Tensor:
    return torch.cat([clip[:30], clip[30:].roll(1, dims=3)])


@pytest.mark.parametrize(("spoil", "name"), [(recoloured, "is another one after it"), (erased, "is not there after it")])
def test_an_object_that_does_not_come_out_as_it_went_in_is_noticed(spoil, name):
    assert figure(measured(persistence.persistence), "goes behind the bar and comes out") >= 80
    assert figure(measured(persistence.persistence, spoil), "goes behind the bar and comes out") < 20
    assert figure(measured(persistence.persistence, spoil), name) > figure(measured(persistence.persistence), name) + 60


def test_only_what_goes_through_behind_the_bar_persists():
    study = Oracle()
    world = study.world(49, seed=2, two_objects=0.0)
    for case in study.cases(world, 4, lambda s: s.objects[0].motion == PASSES and bool((s.light == 1).all())):
        clip, bar, path = case.frames, case.scene.bar, case.scene.positions[0, :, 0]
        assert persistence.passing(study.reader, case.prompt, clip) == persistence.SAME
        assert persistence.passing(study.reader, case.prompt, frozen(clip)) == persistence.NOT_HIDDEN
        behind = int(np.abs(path - (bar[0] + bar[1] - 1) / 2).argmin())
        turned = torch.cat([clip[: behind + 1], clip[:behind].flip(0), frozen(clip)])[:49]
        assert persistence.passing(study.reader, case.prompt, turned) == persistence.ELSEWHERE
        apart = np.abs(path - (bar[0] + bar[1] - 1) / 2)
        out = behind + int((apart[behind:] > (bar[1] - bar[0]) / 2 + case.scene.objects[0].radius + 1).argmax())
        for at, outcome in ((out, persistence.ELSEWHERE), (-1, persistence.NOT_HIDDEN)):
            stands = clip[at][None].repeat(49, 1, 1, 1)  # beside the bar or far from it, and is gone for four frames
            stands[12:16] = torch.where((clip[at] == 110).all(dim=2)[..., None], clip[at], clip[0, 0, 0])
            assert persistence.passing(study.reader, case.prompt, stands) == outcome


def test_persistence_is_measured_where_objects_pass_the_bar_once():
    assert persistence.passes_once(SpriteWorld())
    assert not persistence.passes_once(SpriteWorld(size=32, radii=(4.0, 6.0))) and not persistence.passes_once(
        SpriteWorld(speeds=(1.0, 2.0))
    )
    assert not persistence.passes_once(SpriteWorld(speeds=(0.5,)))
