"""The world that ships with the package: small, whole, from named starts, and it does what the keys say."""

import pytest
import torch

from framecast import WorldEnv
from framecast.sample import load_bundle, load_generator
from framecast.sample.bundle_files import WORLD

STARTS = ["start line", "hairpin", "left bend", "right bend", "two bends", "two roads"]


@pytest.fixture(scope="module")
def world():
    return load_generator("world")


def drive(world, keys: str, seed: int = 0, start: str = "start line", frames: int = 12) -> torch.Tensor:
    """Frames uint8 `[T, 64, 64, 3]` under keys that are held."""
    stream = world.stream(seed=seed, start=start)
    return torch.stack([frame.image for _ in range(frames) for frame in stream.step(keys)])


def test_it_is_small_and_says_what_it_is():
    assert sum(file.stat().st_size for file in WORLD.iterdir()) < 10e6
    bundle = load_bundle("world")
    assert bundle.training["title"] == "Car racing" and bundle.training["licence"] == "MIT"
    assert [start.name for start in bundle.starts] == STARTS and bundle.params.guidance_scale == 1
    assert bundle.action_space.names == ("left", "right", "gas", "brake")
    assert bundle.caption == "a car drives on a track"


def test_it_repeats_and_obeys(world):
    once, again = drive(world, "gas+left"), drive(world, "gas+left")
    assert torch.equal(once, again)
    right = drive(world, "gas+right")
    assert (once[-1].int() - right[-1].int()).abs().float().mean() > 5
    assert (right[-1].int() - right[0].int()).abs().float().mean() > 5


def test_it_is_an_environment_without_being_named():
    env = WorldEnv(max_steps=3)
    frame, info = env.reset(seed=1)
    assert frame.shape == (64, 64, 3) and isinstance(info["seed"], int)
    assert env.step(env.action_space.sample())[0].shape == (64, 64, 3)
