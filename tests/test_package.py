"""What is shipped: a wheel with every room, and a set of dependencies that is pinned and without torchvision."""

import configparser
import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import lazy_loader
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPO = Path(__file__).resolve().parent.parent


def read_setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(REPO / "setup.cfg", encoding="utf-8")
    return config


def package_folders() -> dict[str, str]:
    """Package name -> folder, as `setup.cfg` maps them."""
    lines = read_setup()["options"]["package_dir"].strip().splitlines()
    return dict(re.split(r"\s*=\s*", line.strip()) for line in lines)


def requirements() -> list[Requirement]:
    setup = read_setup()
    blocks = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    return [Requirement(line) for block in blocks for line in block.strip().splitlines()]


def pins() -> dict[str, str]:
    lines = (REPO / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def written_version() -> str:
    """The version as written in the sources."""
    source = (REPO / "framecast/__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE).group(1)


def shipped_files() -> set[str]:
    """The names in the wheel of all that a checkout has to ship: sources, training configs, the embedded bundle."""
    patterns = {
        "framecast.train": ["configs/*.yaml"],
        "framecast.sample": ["default/*", "world/*"],
        "framecast.serve": ["page/*", "captions/page/*", "notebook/*.js", "notebook/*.css"],
    }
    return {
        f"{package.replace('.', '/')}/{path.relative_to(REPO / folder).as_posix()}"
        for package, folder in package_folders().items()
        for pattern in ["**/*.py", "**/*.pyi", *patterns.get(package, [])]
        for path in (REPO / folder).glob(pattern)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from a copy of the sources, so that no older build folder can leak into it."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPO / name, source)
    for folder in package_folders().values():
        shutil.copytree(REPO / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    code = f"from setuptools.build_meta import build_wheel; build_wheel({str(out)!r})"
    run = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return next(out.glob("framecast-*.whl"))


def test_wheel_holds_every_room(wheel):
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {f"{package.replace('.', '/')}/__init__.py" for package in package_folders()} <= shipped
    assert shipped == shipped_files()


def test_wheel_has_command_and_licence(wheel):
    files = zipfile.ZipFile(wheel)
    info = f"framecast-{written_version()}.dist-info"
    assert b"framecast = framecast.cli:main" in files.read(f"{info}/entry_points.txt")
    assert b"Apache License" in files.read(f"{info}/licenses/LICENSE")


def test_wheel_works_away_from_the_checkout(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    (tmp_path / "lazy_loader").symlink_to(Path(lazy_loader.__file__).parent)
    names = [name for name in package_folders() if name != "framecast"]
    code = (
        "import framecast, importlib.util as u\n"
        f"print(framecast.__version__, *(u.find_spec(name).origin for name in {names}), sep='\\n')"
    )
    command = [sys.executable, "-S", "-c", code]  # -S: no site-packages, so no editable install helps
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={}, check=True)
    version, *origins = run.stdout.split("\n")[:-1]
    assert version == written_version()
    assert origins == [str(tmp_path / name.replace(".", "/") / "__init__.py") for name in names]


def test_every_dependency_is_pinned_within_its_range():
    wrong = [str(r) for r in requirements() if not r.specifier.contains(pins().get(canonicalize_name(r.name), "0"))]
    assert wrong == [], "these need a pin in constraints.txt that setup.cfg allows"


def test_every_dependency_has_a_floor():
    assert [str(r) for r in requirements() if not any(s.operator == ">=" for s in r.specifier)] == []


@pytest.mark.parametrize(("name", "floor"), [("torch", "2.10"), ("lightning", "2.6.6"), ("sentencepiece", "0.2.1")])
def test_security_floors(name, floor):
    (requirement,) = [r for r in requirements() if r.name == name]
    assert str(requirement.specifier) == f">={floor}"


def test_torchvision_stays_out():
    """Beside a CPU build of torch pip picks a CUDA build of torchvision, and `import lightning` fails."""
    assert importlib.util.find_spec("torchvision") is None
    assert "torchvision" not in pins()
    assert "torchvision" not in {canonicalize_name(r.name) for r in requirements()}
    assert not any(r.name == "lightning" and r.extras for r in requirements())  # lightning[extra] brings it
