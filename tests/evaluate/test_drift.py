"""Long streams: what drifts is seen, each kind by its own figure."""

import pytest
import torch
from studies import Drawn, Oracle, figure, frozen
from torch import Tensor

from framecast.data import SpriteWorld
from framecast.evaluate import drift


def stops(at: int, clip: Tensor) -> Tensor:
    return torch.cat([clip[:48], clip[48:49].expand_as(clip[48:])])


def changes_colour(at: int, clip: Tensor) -> Tensor:
    return torch.cat([clip[:48], clip[48:].roll(1, dims=3)])


def vanishes(at: int, clip: Tensor) -> Tensor:
    return torch.cat([clip[:48], clip[:1, :1, :1].expand_as(clip[48:])])


def gets_sharper_or_blurred(at: int, clip: Tensor) -> Tensor:
    return (clip.float() * (1 + (at - 0.5) * torch.arange(len(clip)) / len(clip))[:, None, None, None] / 2).to(torch.uint8)


def gets_lighter(at: int, clip: Tensor) -> Tensor:
    return clip + (torch.arange(len(clip)) // 4).to(torch.uint8)[:, None, None, None]


@pytest.mark.parametrize(
    ("spoil", "name", "good", "bad"),
    [
        (stops, "windows in which the object does not move", 0, 45),
        (changes_colour, "streams that keep their identity", 100, 0),
        (vanishes, "streams that keep their identity", 100, 0),
        (gets_sharper_or_blurred, "change of sharpness in a stream", 0, 15),
        (gets_lighter, "change of background in a stream", 0, 30),
    ],
)
def test_drift_gets_worse_when_the_streams_do(spoil, name, good, bad):
    first, second = (figure(drift.drift(study, lambda share: None), name) for study in (Drawn(), Drawn(spoil=spoil)))
    assert first == pytest.approx(good, abs=1.5)
    assert second <= bad if bad < good else second >= bad


def test_streams_that_drift_apart_do_not_cancel():
    section = drift.drift(Drawn(spoil=gets_sharper_or_blurred), lambda share: None)
    assert abs(figure(section, "change of sharpness, all")) < 0.5 * figure(section, "change of sharpness in a stream")


def test_drift_is_seen_in_identity_sharpness_background_and_motion():
    world = SpriteWorld(num_frames=129, seed=3)
    clip = next(
        world[i].frames
        for i in range(99)
        if len(world.scene(i).objects) == 1
        and world.scene(i).objects[0].motion == "moves left"
        and not world.scene(i).objects[0].then
        and not world.scene(i).camera.any()
    )
    item = next(iter(Oracle().reader.read(clip[:17]).objects))
    looks = f"a {item.look.size} {item.colour} {item.look.shape}"
    steady = drift.stretches(Oracle().reader, clip, looks)
    assert all(stretch.identity for stretch in steady) and len(steady) == 8
    assert all(stretch.speed == pytest.approx(1, abs=0.1) for stretch in steady)
    fading = (clip.float() * torch.linspace(1, 0.3, 129)[:, None, None, None] + 20).to(torch.uint8)
    late = drift.stretches(Oracle().reader, fading, looks)[-1]
    assert late.sharpness < 0.7 * steady[-1].sharpness and late.background > steady[-1].background + 5
    ends = drift.stretches(Oracle().reader, frozen(clip), looks)[-1]
    assert ends.motion == 0 and ends.speed == 0
    other = drift.stretches(Oracle().reader, torch.cat([clip[:64], clip[64:].roll(1, dims=3)]), looks)
    assert item.colour != "white" and other[0].identity and not other[-1].identity
