"""A planner does what the dream foretells to be best, and is measured in the true environment."""

import json

import numpy as np
import pytest
import ring_env
import tiny_world
from played_worlds import SPACE

from benchmarks.planning import PLANNER, Shooting, main
from framecast.sample import Stream


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    place = tmp_path_factory.mktemp("planning")
    bundle = tiny_world.save(place / "bundle", lm=tiny_world.lm(num_actions=SPACE.size), action_space=SPACE)
    return bundle, ring_env.write_recording(place / "ring", episodes=2, frames=20)


def test_the_planner_is_measured_beside_the_recording_and_chance(parts, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        Stream, "reward", property(lambda self: float(self.action[1]))
    )  # the ring's own: turning right is worth 1
    out = tmp_path / "planning.json"
    bundle, recording = map(str, parts)
    main([bundle, recording, "--frames", "9", "--tries", "6", "--horizon", "2", "--hold", "2", "--out", str(out)])
    figures = {each["name"]: each["value"] for each in json.loads(out.read_text())["figures"]}
    assert figures[PLANNER] == 8, "the dream is right, so every frame is turned right"
    assert figures[f"{PLANNER} above policy of the recording, episode by episode"] > 0
    assert "random shooting" in capsys.readouterr().out


def test_a_future_counts_as_far_as_it_goes_on(monkeypatch):
    generator = tiny_world.generator()
    monkeypatch.setattr(Stream, "reward", property(lambda self: float(self.action[1]) + 3 * (self.num_latent_frames > 4)))
    monkeypatch.setattr(Stream, "end", property(lambda self: float(self.action[0])))  # who turns left is done for
    pool = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
    frames, rows = tiny_world.tiny_bundle.frames(5).numpy(), np.zeros((5, 3), np.float32)
    chosen = Shooting(generator, pool, tries=12, horizon=3, hold=1, prompt=tiny_world.PROMPT)(frames, rows)
    assert chosen.tolist() == [0, 1, 0]


def test_what_cannot_be_planned_with_is_said(parts, tmp_path):
    lm = tiny_world.lm(num_actions=SPACE.size, rewards=False)
    blind = tiny_world.save(tmp_path / "blind", lm=lm, action_space=SPACE)
    with pytest.raises(ValueError, match="which foretells no rewards; wanted a bundle trained with"):
        main([str(blind), str(parts[1]), "--out", str(tmp_path / "x.json")])
