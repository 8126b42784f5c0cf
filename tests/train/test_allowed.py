"""Whatever a configuration names: nothing of it is imported or called unless it is on the list."""

import sys

import pytest

from benchmarks.reliability.hostile_settings import CONFIG, MARKER, PLANTED, make_settings, plant
from benchmarks.reliability.trials import Trial
from framecast.cli import main
from framecast.train.allowed import ALLOWED, allow_only, split_allowed


@pytest.fixture
def planted(tmp_path, monkeypatch):
    plant(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(PLANTED)]:
        del sys.modules[name]
    allow_only(())


def test_nothing_is_imported_or_called_that_is_not_on_the_list(untrained, planted):
    cases = make_settings(planted)
    before = set(sys.modules)
    for what, options in cases.items():
        with pytest.raises(ValueError, match=r"got|wanted|see `framecast train"):
            untrained.parse(options)
            pytest.fail(what)
    ours = ("framecast", "lightning", "torch", "jsonargparse", "yaml")
    new = {name for name in set(sys.modules) - before if not name.startswith(ours)}
    assert not any(PLANTED in name for name in sys.modules) and not (planted / MARKER).exists()
    assert len(cases) > 40 and not new & {"pty", "timeit", "pdb", "antigravity"}


def test_the_command_says_what_to_do_in_one_line(planted, capsys):
    assert main(["train", "fit", "--config", str(CONFIG), f"--model={PLANTED}.Model"]) == 2
    error = capsys.readouterr().err
    assert f"class path {PLANTED}.Model" in error and f"--allow {PLANTED}" in error and error.count("\n") == 1


def test_allow_opens_one_module_and_only_for_this_command(untrained, planted):
    allow_only([PLANTED])
    with pytest.raises(ValueError, match="does not correspond to a subclass of TrainingModule"):
        untrained.parse([f"--model={PLANTED}.Model"])
    assert (planted / MARKER).exists()  # so the mark would have shown
    with pytest.raises(ValueError, match=r"class path subprocess\.Popen"):
        untrained.parse(["--model=subprocess.Popen"])
    allow_only(())
    with pytest.raises(ValueError, match=f"class path {PLANTED}.Model"):
        untrained.parse([f"--model={PLANTED}.Model"])


def test_what_the_list_names_can_be_named(untrained, tmp_path):
    file = tmp_path / "more.yaml"
    file.write_text(
        "trainer:\n  logger:\n    class_path: lightning.pytorch.loggers.CSVLogger\n    init_args: {save_dir: x}\n"
        "  strategy:\n    class_path: lightning.pytorch.strategies.DDPStrategy\n"
        "  callbacks:\n    - class_path: DeviceStatsMonitor\n"
    )
    config = untrained.parse(["--config", str(file), "--optimizer=SGD", "--optimizer.lr=0.1"]).fit
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
