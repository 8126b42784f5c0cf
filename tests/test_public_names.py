"""The public names are frozen (law 7): a change here is a change for every user, and belongs in CHANGELOG.md."""

import pytest

import framecast

FROZEN = [
    "Clip",
    "Frame",
    "SamplingParams",
    "SpriteWorld",
    "VideoFolder",
    "VideoGenerator",
    "VideoLM",
    "VideoTokenizer",
    "__version__",
    "load_bundle",
    "load_generator",
    "read_video",
    "save_bundle",
    "write_video",
]


def test_names_are_frozen():
    assert sorted(framecast.__all__) == FROZEN
    assert dir(framecast) == FROZEN


@pytest.mark.parametrize("name", FROZEN)
def test_name_resolves(name):
    assert getattr(framecast, name) is not None


@pytest.mark.parametrize("name", sorted(set(FROZEN) - {"__version__"}))
def test_name_is_what_its_room_calls_it(name):
    assert getattr(framecast, name).__name__ == name
    assert getattr(framecast, name).__module__.startswith("framecast.")


def test_unknown_name_says_what_there_is():
    with pytest.raises(AttributeError, match=r"no attribute 'VideoMaker'; the public names are .*VideoGenerator"):
        _ = framecast.VideoMaker
