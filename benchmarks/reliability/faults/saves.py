"""Folders in which nothing can be saved."""

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import lightning as L


class FailingSaves(L.Callback):
    """From the third step on, or from the export on, nothing can be saved in a folder.

    The failure is a real one if the machine allows it; then there is a file `real`.

    Args:
        kind: How it fails.
        place: The folder.
        moment: What fails: checkpoint or bundle.
    """

    def __init__(self, kind: str, place: str, moment: str):
        self.kind, self.place, self.moment = kind, Path(place), moment

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        if self.moment == "checkpoint" and trainer.global_step == 2:
            self._fail()

    def on_fit_end(self, trainer: L.Trainer, *_: Any) -> None:
        if self.moment == "bundle":
            self._fail()

    def _fail(self) -> None:
        if self._fails_really():
            (self.place.parent / "real").touch()
            return
        number = {"full disk": errno.ENOSPC, "no permission": errno.EPERM, "other device": errno.EXDEV, "read-only": errno.EROFS}
        error = OSError(number.get(self.kind, errno.EIO), os.strerror(number.get(self.kind, errno.EIO)))

        def fail(*_: Any, **__: Any) -> None:
            raise error

        if self.kind == "other device":
            os.replace = os.rename = fail
        else:
            os.fsync = fail
            Path.write_bytes = fail  # type: ignore[method-assign, assignment]

    def _fails_really(self) -> bool:
        if self.kind == "folder gone":
            shutil.rmtree(self.place)
            return True
        if self.kind == "full disk" and self.place.is_mount():
            return _fill(self.place / "filler")
        if self.kind == "read-only" and self.place.is_mount():
            return _done("mount", "-o", "remount,ro", str(self.place))
        if self.kind == "no permission":
            self.place.chmod(0o555)
            return os.geteuid() != 0 or _done("chattr", "+i", str(self.place))
        return False


def _fill(path: Path) -> bool:
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    except OSError:
        return True


def _done(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0
