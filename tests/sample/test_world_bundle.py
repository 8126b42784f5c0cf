"""The bundle of a world: its action space is kept, and a config that lies about actions is refused."""

import json
import shutil
from pathlib import Path

import pytest
import tiny_bundle
import tiny_world
import torch
from damaged_bundles import assert_refused, change_config

from framecast.descriptions import describe
from framecast.sample import BundleError, load_bundle
from framecast.sample.bundle_files import open_bundle


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    return tiny_world.save(tmp_path_factory.mktemp("bundles") / "world")


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(saved, tmp_path / "bundle"))


def test_a_world_keeps_its_action_space(saved):
    bundle = load_bundle(saved)
    assert bundle.action_space == tiny_world.SPACE == open_bundle(saved).action_space
    assert bundle.lm.config == tiny_world.lm().config
    generator = bundle.generator()
    assert generator.action_space == tiny_world.SPACE
    actions = tiny_world.actions(9)
    assert torch.equal(
        *(each.generate(tiny_world.PROMPT, 9, actions=actions).tokens for each in (generator, tiny_world.generator()))
    )


@pytest.mark.parametrize("way", ["add", "film"])
def test_both_ways_to_condition_on_actions_are_kept(tmp_path, way):
    lm = tiny_world.lm(action_conditioning=way)
    again = load_bundle(tiny_world.save(tmp_path / "bundle", lm=lm)).lm
    assert again.config.action_conditioning == way
    actions = tiny_world.actions(8).view(1, 4, 2, 3)
    assert torch.equal(*(each.encode_actions(actions)._tensor for each in (lm, again)))


def test_info_names_what_can_be_done(saved):
    rows = dict(describe(str(saved)))
    assert rows["actions"] == "left, right, gas; they count from the next 167 ms on"
    assert rows["predicts"] == "rewards and ends"


@pytest.mark.parametrize(
    ("training", "title"),
    [
        ({}, None),
        ({"title": "A ring"}, "A ring"),
        ({"title": " "}, None),
        ({"title": 3}, None),
        ({"title": "x" * 300}, "x" * 100),
    ],
)
def test_the_title_of_a_bundle_is_read_without_its_weights(tmp_path, training, title):
    folder = tiny_world.save(tmp_path / "world", training=training)
    (folder / "lm.safetensors").unlink()
    assert open_bundle(folder).title == title


def test_other_bundles_have_no_action_space(tmp_path):
    folder = tiny_bundle.save(tmp_path / "plain")
    assert load_bundle(folder).action_space is None is open_bundle(folder).action_space
    assert "action_space" not in json.loads((folder / "config.json").read_bytes())
    assert not {"actions", "predicts"} & set(dict(describe(str(folder))))
    old = ("num_actions", "action_frames", "action_conditioning", "rewards", "ends")
    change_config(folder, lambda config: [config["lm"].pop(name) for name in old])  # as earlier versions wrote it
    assert load_bundle(folder).lm.config == tiny_bundle.lm().config
    change_config(folder, lambda config: config.update(action_space=None))
    assert load_bundle(folder).action_space is None
    alone = tiny_world.save(tmp_path / "tokenizer", lm=None, text_tokenizer=None)
    assert load_bundle(alone).action_space == tiny_world.SPACE


LIES = {
    "no space": (lambda c: c.pop("action_space"), "no action space for a video LM with 3 actions; wanted one of 3"),
    "a smaller space": (
        lambda c: c["action_space"].update(axes=[]),
        "an action space of 2 numbers for a video LM with 3",
    ),
    "a space that is none": (lambda c: c.update(action_space=["left"]), "as an action space; wanted"),
    "a name twice": (lambda c: c["action_space"].update(axes=[{"name": "left"}]), "left twice"),
    "more actions": (
        lambda c: c["lm"].update(num_actions=4),
        "action_encoder.frame.weight is missing, extra",
    ),
    "fewer frames": (lambda c: c["lm"].update(action_frames=1), "action_encoder.joined.weight"),
    "no actions": (lambda c: c["lm"].update(num_actions=0), "action_encoder"),
    "the other way": (lambda c: c["lm"].update(action_conditioning="film"), "action_encoder.out.weight"),
    "a way that is none": (lambda c: c["lm"].update(action_conditioning=["add"]), "wanted add or film"),
    "endless actions": (lambda c: c["lm"].update(num_actions=2**60), "1152921504606846976 actions in"),
    "endless frames": (lambda c: c["lm"].update(action_frames=10**40), "actions in"),
    "half an action": (lambda c: c["lm"].update(num_actions=2.5), "config.json"),
    "a text of actions": (lambda c: c["lm"].update(num_actions="3"), "config.json"),
    "other heads": (lambda c: c["lm"].update(rewards=False), "heads.reward.weight"),
}


@pytest.mark.parametrize("case", LIES)
def test_a_config_that_lies_about_actions_is_refused(folder, case):
    change, words = LIES[case]
    change_config(folder, change)
    assert_refused(folder, words)


def test_files_of_a_damaged_space_are_named(folder):
    change_config(folder, lambda config: config.update(action_space={"buttons": 3}))
    with pytest.raises(BundleError, match=r"config.json is damaged \(got .* as an action space; wanted buttons with a"):
        _ = open_bundle(folder).action_space


def test_a_space_of_another_size_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match=r"got no action space for a video LM with 3 actions; .*give `action_space`, that of"):
        tiny_world.save(tmp_path / "bundle", action_space=None)
    with pytest.raises(ValueError, match=r"got an action space of 3 numbers for a video LM with no actions; wanted none"):
        tiny_bundle.save(tmp_path / "bundle", action_space=tiny_world.SPACE)
