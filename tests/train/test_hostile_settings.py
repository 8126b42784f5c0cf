"""Whatever a configuration names: nothing of it is imported or called unless it is on the list."""

import os
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks.reliability.hostile_settings import CONFIG, MARKER, PLANTED, make_settings, plant
from benchmarks.reliability.trials import Trial
from framecast.cli import main
from framecast.train.allowed import ALLOWED, allow_only, split_allowed
from framecast.train.config_text import MAX_BYTES, load_bounded


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    return Trial(tmp_path_factory.mktemp("trial"))


@pytest.fixture
def planted(tmp_path, monkeypatch):
    plant(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(PLANTED)]:
        del sys.modules[name]
    allow_only(())


def test_nothing_is_imported_or_called_that_is_not_on_the_list(trial, planted):
    cases = make_settings(planted)
    before = set(sys.modules)
    for what, options in cases.items():
        with pytest.raises(ValueError, match=r"got|wanted|see `framecast train"):
            trial.parse(options)
            pytest.fail(what)
    ours = ("framecast", "lightning", "torch", "jsonargparse", "yaml")
    new = {name for name in set(sys.modules) - before if not name.startswith(ours)}
    assert not any(PLANTED in name for name in sys.modules) and not (planted / MARKER).exists()
    assert len(cases) > 40 and not new & {"pty", "timeit", "pdb", "antigravity"}


def test_the_command_says_what_to_do_in_one_line(planted, capsys):
    assert main(["train", "fit", "--config", str(CONFIG), f"--model={PLANTED}.Model"]) == 2
    error = capsys.readouterr().err
    assert f"class path {PLANTED}.Model" in error and f"--allow {PLANTED}" in error and error.count("\n") == 1


def test_allow_opens_one_module_and_only_for_this_command(trial, planted):
    allow_only([PLANTED])
    with pytest.raises(ValueError, match="does not correspond to a subclass of TrainingModule"):
        trial.parse([f"--model={PLANTED}.Model"])
    assert (planted / MARKER).exists()  # so the mark would have shown
    with pytest.raises(ValueError, match=r"class path subprocess\.Popen"):
        trial.parse(["--model=subprocess.Popen"])
    allow_only(())
    with pytest.raises(ValueError, match=f"class path {PLANTED}.Model"):
        trial.parse([f"--model={PLANTED}.Model"])


def test_what_the_list_names_can_be_named(trial, tmp_path):
    file = tmp_path / "more.yaml"
    file.write_text(
        "trainer:\n  logger:\n    class_path: lightning.pytorch.loggers.CSVLogger\n    init_args: {save_dir: x}\n"
        "  strategy:\n    class_path: lightning.pytorch.strategies.DDPStrategy\n"
        "  callbacks:\n    - class_path: DeviceStatsMonitor\n"
    )
    config = trial.parse(["--config", str(file), "--optimizer=SGD", "--optimizer.lr=0.1"]).fit
    assert config.trainer.callbacks[0].class_path == "lightning.pytorch.callbacks.DeviceStatsMonitor"
    assert config.optimizer.class_path == "torch.optim.SGD" and "framecast" in ALLOWED


def test_the_environment_is_no_other_door(planted, monkeypatch):
    monkeypatch.setenv("JSONARGPARSE_DEFAULT_ENV", "true")
    monkeypatch.setenv("PL_FIT__MODEL", f"{PLANTED}.Model")
    with pytest.raises(ValueError, match=f"class path {PLANTED}.Model"):
        Trial(planted).parse([])
    assert not (planted / MARKER).exists()


def test_allow_is_taken_from_anywhere_on_the_command_line():
    rest, modules = split_allowed(["--allow", "a.b", "fit", "--allow=c", "--config", "x"])
    assert (rest, modules) == (["fit", "--config", "x"], ["a.b", "c"])
    with pytest.raises(ValueError, match=r"got `--allow /tmp`; wanted a module"):
        split_allowed(["--allow", "/tmp"])
    with pytest.raises(ValueError, match=r"got `--allow `; wanted a module"):
        split_allowed(["fit", "--allow"])


@pytest.mark.parametrize("config", sorted((CONFIG.parent).glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configurations_read_as_yaml_does(config: Path):
    assert load_bounded(config.read_text()).keys() == yaml.safe_load(config.read_text()).keys()


def test_aliases_are_counted_by_what_they_stand_for():
    assert load_bounded("a: &a {x: 1}\nb: {<<: *a, y: 2}") == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}
    assert load_bounded("&a [1]") == [1]
    for text in ("a: &a [*a]", "a: *a", "[" * 100, "x" * (MAX_BYTES + 1), f"a: &a [{'x, ' * 400}]\nb: [{'*a, ' * 400}]"):
        with pytest.raises(yaml.YAMLError):
            load_bounded(text)


def test_what_lightning_refuses_is_one_line(capsys):
    assert main(["train", "fit", "--config", str(CONFIG), "--trainer.profiler=os.system", "--trainer.logger=false"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("framecast: When passing string value for the `profiler`")


def test_a_pipe_is_not_waited_for(trial, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is a pipe; wanted a regular file"):
        trial.parse(["--config", str(tmp_path / "pipe")])
