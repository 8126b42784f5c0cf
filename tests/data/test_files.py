"""Files that appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from framecast.data.files import WriteError, naming, replacing, replacing_folder

REPO = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from framecast.data.files import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def test_what_a_killed_save_left_goes_with_the_next_one(tmp_path):
    path = tmp_path / "a.bin"
    write(path, b"old")
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], env=env).returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 2
    write(tmp_path / "other.bin", b"other")
    assert len(list(tmp_path.iterdir())) == 3  # that of another file is not touched
    write(path, b"new")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.bin", "other.bin"] and path.read_bytes() == b"new"


def test_a_save_at_the_same_time_is_left_alone(tmp_path):
    with replacing(tmp_path / "a.bin") as first:
        first.write_bytes(b"first")
        write(tmp_path / "a.bin", b"second")
        assert first.exists()
    assert (tmp_path / "a.bin").read_bytes() == b"first"


@pytest.mark.parametrize("name", ["n" * 255, "\u00e9" * 127, os.fsdecode(b"\xff\xfe"), "-", "a b", "a%d"])
def test_the_temporary_name_fits_whatever_the_name_is(tmp_path, name):
    write(tmp_path / name, b"content")
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_errors_of_the_system_name_the_file(tmp_path):
    path = tmp_path / "a.bin"
    with pytest.raises(WriteError, match=r"^cannot write .*a\.bin: No space left on device; check the room") as refused:
        with replacing(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert isinstance(refused.value, ValueError) and isinstance(refused.value, OSError) and list(tmp_path.iterdir()) == []
    with pytest.raises(WriteError, match=r"cannot write .*nnn: File name too long"):
        write(tmp_path / ("n" * 256), b"")
    with pytest.raises(WriteError, match=r"outer\.bin: Is a directory"):
        with naming(tmp_path / "outer.bin"):
            tmp_path.write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError, match=r"cannot write .*folder: "):
        write(tmp_path / "folder", b"")
    with pytest.raises(ValueError, match=r"the folder .*nowhere does not exist; make it first"):
        write(tmp_path / "nowhere/a.bin", b"")


def test_other_errors_pass_as_they_are(tmp_path):
    with pytest.raises(KeyError):
        with replacing(tmp_path / "a.bin") as temporary:
            temporary.write_bytes(b"half")
            raise KeyError("x")
    assert list(tmp_path.iterdir()) == []


def write_folder(path: Path, content: str, number: int = 0) -> None:
    with replacing_folder(path) as temporary:
        (temporary / "a.txt").write_text(content)
        assert not number, os.kill(os.getpid(), number)


@pytest.fixture
def interruptible():
    """A process that was started in the background ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "bundle"
    write_folder(path, "old")
    with pytest.raises(KeyboardInterrupt):
        write_folder(path, "half", signal.SIGINT)
    assert (path / "a.txt").read_text() == "old"
    write_folder(path, "new")
    assert (path / "a.txt").read_text() == "new" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("renames", [0, 1])
def test_an_older_folder_is_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch, renames):
    path, rename, calls = tmp_path / "bundle", Path.rename, []
    write_folder(path, "old")

    def fail(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == renames + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(WriteError, match="bundle: No space left on device"):
        write_folder(path, "new")
    assert (path / "a.txt").read_text() == "old" and list(tmp_path.iterdir()) == [path]


FOLDER_KILLED = KILLED.replace("replacing", "replacing_folder").replace(
    'temporary.write_bytes(b"half")', "(temporary / 'x').touch()"
)


def test_what_is_left_of_a_killed_folder_goes_with_the_next_one(tmp_path):
    path = tmp_path / "bundle"
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    assert subprocess.run([sys.executable, "-c", FOLDER_KILLED, str(path)], env=env).returncode == -signal.SIGKILL
    assert not path.exists() and len(list(tmp_path.iterdir())) == 1
    write_folder(path, "new")
    assert list(tmp_path.iterdir()) == [path]
