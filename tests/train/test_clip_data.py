"""Clips as the data of a training: where they come from, and that a run goes on with the same ones."""

import pytest
from jsonargparse import ArgumentParser
from played import SPACE, Played
from trainings import fit

from framecast.data import ActionSpace, Button, RandomCrops, SpriteWorld, VideoFolder
from framecast.train import ClipDataModule, LitVideoTokenizer
from framecast.train.clip_data import collate_clips


def test_a_run_on_other_clips_or_with_another_batch_is_refused(tmp_path, no_export):
    fit(tmp_path)
    again = ("--ckpt_path=last", "--trainer.max_steps=3")
    with pytest.raises(ValueError, match=r"trained on other clips or captions.*now 64 clips.*framecast export.*init_from"):
        fit(tmp_path, *again, "--data.init_args.source.init_args.seed=4")
    with pytest.raises(ValueError, match=r"a run with 2 clips a step, and 4 now; .*data\.init_args\.batch_size"):
        fit(tmp_path, *again, "--data.init_args.batch_size=4")
    with pytest.raises(ValueError, match=r"a run with 2 clips a step, and 4 now"):
        fit(tmp_path, *again, "--trainer.accumulate_grad_batches=2")
    fit(tmp_path, *again)


def test_a_limited_epoch_has_other_clips_each_time(tmp_path, monkeypatch, no_export):
    names: list[list[str]] = []
    step = LitVideoTokenizer.training_step
    monkeypatch.setattr(LitVideoTokenizer, "training_step", lambda *given: names.append(given[1]["names"]) or step(*given))
    fit(tmp_path / "limited", "--trainer.max_steps=4", "--trainer.limit_train_batches=2", "--trainer.max_epochs=-1")
    limited, names[:] = list(names), []
    fit(tmp_path / "whole", "--trainer.max_steps=4")
    assert limited == names and len({name for batch in names for name in batch}) == 8


def test_a_training_says_where_its_clips_come_from(capsys):
    crops = RandomCrops(SpriteWorld(num_clips=40, num_frames=5), size=48, copies=3)
    ClipDataModule(crops).prepare_data()
    assert (
        capsys.readouterr().out == "source: 3 crops of 48x48 from each of 40 clips of 5 frames at 12 fps, 64x64 (SpriteWorld)\n"
    )


def test_batches_of_pixels_hold_the_actions_of_their_frames():
    played, silent = Played(2), Played(1, None)
    batch = collate_clips([played[1], silent[0]])
    assert batch["actions"].shape == (2, 5, 2) and batch["actions"][1].isnan().all()
    assert batch["actions"][0, 1:, 1].tolist() == pytest.approx([0.011, 0.012, 0.013, 0.014])
    assert set(collate_clips([silent[0]])) == {"frames", "names"}
    assert ClipDataModule(played, val_clips=1).action_space == SPACE


def test_validation_clips_of_another_action_space_are_refused():
    other = ActionSpace((Button("jump"),))
    with pytest.raises(
        ValueError, match=r"validation clips with ActionSpace\(jump\) and training clips with ActionSpace\(gas, st"
    ):
        ClipDataModule(Played(2), val_source=Played(1, other))
    with pytest.raises(ValueError, match=r"with ActionSpace\(gas, steering\) and training clips with no actions; wanted one"):
        ClipDataModule(Played(2, None), val_source=Played(1))
    ClipDataModule(Played(2), val_source=Played(1, None))


def test_a_configuration_may_state_an_action_space_with_keys():
    parser = ArgumentParser()
    parser.add_class_arguments(VideoFolder, "folder")
    space = {"axes": [{"name": "steering", "keys": ["ArrowLeft", "ArrowRight"], "low": -0.5}]}
    parsed = parser.parse_object({"folder": {"root": "drives", "action_space": space}})
    assert parsed.folder.action_space == space  # jsonargparse would rename `keys` of a dataclass
