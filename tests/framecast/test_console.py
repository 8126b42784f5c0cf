"""What a command does where its streams are closed, cannot show a letter, or a signal comes."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import tiny_bundle

from framecast import console

REPO = Path(__file__).resolve().parents[2]
PROMPT = "a red circle moves right"
FRAMECAST = f"{sys.executable} -m framecast"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny_bundle.save(tmp_path_factory.mktemp("console") / "bundle")


def shell(command: str, folder: Path, **env: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(REPO), **env}
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, env=environment, timeout=300)


@pytest.mark.slow
def test_a_loop_over_prompts_makes_a_video_of_each(bundle, tmp_path):
    """One shell for many tries, since a start costs seconds: closed streams, a loop, a name that no terminal can show."""
    (tmp_path / "prompts.txt").write_text(f"{PROMPT}\na ring falls\n")
    tries = f"""
        n=0; while read p; do n=$((n+1)); {FRAMECAST} stream "$p" --seconds 0.2 --bundle {bundle} --out $n.fct; done < prompts.txt
        {FRAMECAST} info {bundle} | true; echo "status ${{PIPESTATUS[0]}}"
        {FRAMECAST} sample "{PROMPT}" --num_frames 5 --bundle {bundle} --out $'\\xff\\u00fc.mkv' >&- 2>&-; echo "status $?"
    """
    done = shell(tries, tmp_path, PYTHONIOENCODING="ascii", LANG="C")
    assert done.stdout.splitlines() == [b"status 141", b"status 0"], done
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr, done.stderr
    assert (tmp_path / "1.fct").is_file() and (tmp_path / "2.fct").is_file()
    assert len(list(tmp_path.glob("*.mkv"))) == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)])
def test_a_signal_ends_a_command_without_a_trace(bundle, tmp_path, number, status):
    command = [*FRAMECAST.split(), "sample", PROMPT, "--num_frames", "400001", "--bundle", str(bundle), "--out", "out.fct"]
    (tmp_path / "out.fct").write_bytes(b"older")
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, env=env) as running:
        while not list(tmp_path.glob(".*.tmp")) and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(number)
        _, err = running.communicate(timeout=60)
    assert running.returncode == status and b"Traceback" not in err, err
    assert [file.name for file in tmp_path.iterdir()] == ["out.fct"] and (tmp_path / "out.fct").read_bytes() == b"older"


def test_warnings_are_said_once_and_others_as_ever(capsys):
    with pytest.warns(UserWarning, match="another"), console.warnings_in_one_line(FutureWarning):
        for _ in range(2):
            warnings.warn("two\nlines", FutureWarning, stacklevel=1)
        warnings.warn("another", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "framecast: warning: two lines\n"


def test_sigterm_is_an_exit_inside_and_what_it_was_outside():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught, console.ends_on_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 143 and signal.getsignal(signal.SIGTERM) == before


def test_what_takes_long_is_said_and_what_does_not_is_not(capsys):
    with console.said_if_long("loading", seconds=0.05):
        time.sleep(0.5)
    with console.said_if_long("reading", seconds=5):
        pass
    assert capsys.readouterr().err == "framecast: loading ...\n"
