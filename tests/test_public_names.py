"""The public names are frozen (law 7): a change here is a change for every user, and belongs in CHANGELOG.md."""

import subprocess
import sys

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
    "WorldEnv",
    "WorldVectorEnv",
    "__version__",
    "from_pretrained",
    "load_bundle",
    "load_generator",
    "push_to_hub",
    "read_video",
    "save_bundle",
    "train",
    "write_video",
]


def test_names_are_frozen():
    assert sorted(framecast.__all__) == FROZEN
    assert dir(framecast) == FROZEN


@pytest.mark.parametrize("name", FROZEN)
def test_name_resolves(name):
    assert getattr(framecast, name) is not None


@pytest.mark.parametrize("name", sorted(set(FROZEN) - {"__version__", "train"}))
def test_name_is_what_its_room_calls_it(name):
    assert getattr(framecast, name).__name__ == name
    assert getattr(framecast, name).__module__.startswith("framecast.")


def test_a_room_that_is_called_trains_and_stays_the_room():
    """In whatever order the two are used: Python keeps one module."""
    import framecast.train as room

    assert framecast.train is room and callable(room) and room.LitVideoLM is framecast.train.LitVideoLM
    with pytest.raises(ValueError, match=r"got --size 65; wanted a multiple of 8.*the nearest are 64 and 72"):
        framecast.train("my_videos", size=65)
    with pytest.raises(ValueError, match="got my_videos, and there is no such folder; wanted a folder of videos"):
        room("my_videos")


@pytest.mark.parametrize("first", ["import framecast.train", "import framecast; framecast.train", "from framecast import train"])
def test_calling_the_room_loads_no_lightning_before(first):
    code = f"{first}\nimport sys, framecast\nassert callable(framecast.train)\nprint('lightning' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_unknown_name_says_what_there_is():
    with pytest.raises(AttributeError, match=r"no attribute 'VideoMaker'; the public names are .*VideoGenerator"):
        _ = framecast.VideoMaker
