"""A folder of small videos, and a plan for it whose times are made up."""

from dataclasses import replace

import pytest
from video_folders import write_captions, write_clip

from framecast.train.own.plan import Part, Plan
from framecast.train.own.settings import OwnSettings
from framecast.train.own.videos import look

PART = Part("tiny", 4, 2, 0.5, 1.0, 1000)


@pytest.fixture(scope="session")
def videos(tmp_path_factory):
    """Twelve videos of 40 frames at 12 frames/s, with captions; one is too short, and a line is no JSON."""
    folder = tmp_path_factory.mktemp("videos")
    names = [f"clip_{number:02}.mkv" for number in range(12)]
    for number, name in enumerate(names):
        write_clip(folder / name, 40 + number, fps=12.0)
    write_clip(folder / "short.mkv", 3, fps=12.0)
    rows = [{"file": name, "caption": f"noise {number}"} for number, name in enumerate(names)]
    write_captions(folder, *rows, {"file": "short.mkv", "caption": "short"}, "{bad")
    return folder


@pytest.fixture(scope="session")
def settings(videos) -> OwnSettings:
    return OwnSettings(videos=str(videos), size=32, minutes=1)


@pytest.fixture(scope="session")
def found(settings):
    return look(settings)


@pytest.fixture
def plan(settings, found, tmp_path) -> Plan:
    own = replace(settings, out=str(tmp_path / "mine"))
    return Plan(own, found, (8, 5, 5, 5), PART, PART, 8, 0.1, 10**9, 0, False)
