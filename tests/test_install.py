"""An install by uv is the clone itself, so that an edit counts, and the build says nothing that is no fault."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import lazy_loader
import pytest
from setuptools import build_meta

REPO = Path(__file__).resolve().parent.parent
LIBRARIES = sysconfig.get_path("purelib")


def call(*command: str | Path, **more: str) -> str:
    run = subprocess.run([*map(str, command)], capture_output=True, text=True, env={**os.environ, **more}, cwd=REPO)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """The files of the project, without what git ignores."""
    place = tmp_path_factory.mktemp("clone")
    for name in call("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        if name and (REPO / name).is_file() and not name.startswith(("tests/", "docs/")):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPO / name, place / name)
    return place


def test_uv_installs_the_clone_itself(clone, tmp_path):
    uv = Path(sys.executable).parent / "uv"
    call(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "env")
    python = tmp_path / "env/bin/python"
    install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation", "--python", python]
    call(*install, "--editable", clone, PYTHONPATH=LIBRARIES)  # setuptools is here, and no network
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries/lazy_loader").symlink_to(Path(lazy_loader.__file__).parent)
    framecast = tmp_path / "env/bin/framecast"
    assert str(clone) in call(framecast, "info", PYTHONPATH=str(tmp_path / "libraries"))


def warned(backend: str, clone: Path, out: Path) -> str:
    """What an editable build by a backend says in warnings."""
    code = f"import sys; sys.path.insert(0, 'framecast'); import {backend} as b; b.build_editable({str(out)!r})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=clone)
    assert run.returncode == 0, run.stderr
    return run.stderr


def test_the_build_does_not_warn_of_the_folders_of_the_package(clone, tmp_path):
    assert "careful with folders" not in warned("_build", clone, tmp_path)
    assert "careful with folders" in warned(build_meta.__name__, clone, tmp_path)  # control
