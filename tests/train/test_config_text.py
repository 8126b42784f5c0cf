"""The text of configurations: how much of it is read, and how far it unfolds."""

import os
from pathlib import Path

import pytest
import yaml

from benchmarks.reliability.hostile_settings import CONFIG
from framecast.train.config_text import MAX_BYTES, load_bounded


@pytest.mark.parametrize("config", sorted((CONFIG.parent).glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configurations_read_as_yaml_does(config: Path):
    assert load_bounded(config.read_text()).keys() == yaml.safe_load(config.read_text()).keys()


def test_aliases_are_counted_by_what_they_stand_for():
    assert load_bounded("a: &a {x: 1}\nb: {<<: *a, y: 2}") == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}
    assert load_bounded("&a [1]") == [1]
    for text in ("a: &a [*a]", "a: *a", "[" * 100, "x" * (MAX_BYTES + 1), f"a: &a [{'x, ' * 400}]\nb: [{'*a, ' * 400}]"):
        with pytest.raises(yaml.YAMLError):
            load_bounded(text)


def test_a_pipe_is_not_waited_for(untrained, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is a pipe; wanted a regular file"):
        untrained.parse(["--config", str(tmp_path / "pipe")])
