"""`FolderStore`: the snapshots of streams in a folder, which outlive the server, and which several servers can share."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from ...data.files import replacing
from .store import Kept

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_SUFFIX, _LOCKS = ".snapshot", 16
_LONGEST_HEAD = 4096
_SECONDS_KEPT = 86_400.0
T = TypeVar("T")


class FolderStore:
    """A `SnapshotStore` in a folder: one file for each stream, replaced as a whole.

    Servers that share it, on one machine or on several, hold a lock of the file system while they look and replace. If there is
    too much, the streams that were kept longest ago are forgotten; so are those of which nothing was kept for a day.

    Args:
        folder: Where; made if it is not there.
        most_bytes: Of all snapshots together.

    Raises:
        ValueError: The folder cannot be made or written to.
    """

    def __init__(self, folder: str | Path, most_bytes: int = 2**32):
        self.folder, self._most = Path(folder), most_bytes
        if fcntl is None:
            raise ValueError(f"got {folder} for the snapshots of streams on Windows, where folders are not shared; leave it out")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked(""):
                pass
        except OSError as error:
            raise ValueError(f"got {folder} for the snapshots of streams; wanted a folder to write to ({error})") from error

    async def put(self, id: str, owner: str, kept: Kept) -> bool:
        """As `SnapshotStore.put`."""
        return await self._apart(lambda: self._put(id, owner, kept))

    async def claim(self, id: str, owner: str) -> Kept | None:
        """As `SnapshotStore.claim`."""
        return await self._apart(lambda: self._claim(id, owner))

    async def drop(self, id: str, owner: str) -> None:
        """As `SnapshotStore.drop`."""
        await self._apart(lambda: self._drop(id, owner))

    async def _apart(self, work: Callable[[], T]) -> T:
        """In a thread, since disks and locks wait."""
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise ConnectionError(f"the folder {self.folder} cannot be used: {error}") from error

    def _put(self, id: str, owner: str, kept: Kept) -> bool:
        with self._locked(id):
            found = self._read(id)
            if found is not None and found[0] != owner:
                return False
            self._write(id, owner, kept)
        self._forget_old()
        return True

    def _claim(self, id: str, owner: str) -> Kept | None:
        with self._locked(id):
            found = self._read(id)
            if found is None:
                return None
            self._write(id, owner, found[1])
            return found[1]

    def _drop(self, id: str, owner: str) -> None:
        with self._locked(id):
            found = self._read(id)
            if found is not None and found[0] == owner:
                self._path(id).unlink(missing_ok=True)

    def _path(self, id: str) -> Path:
        """Clients send ids, so none is a path as it comes."""
        return self.folder / f"{blake2b(id.encode(), digest_size=16).hexdigest()}{_SUFFIX}"

    def _read(self, id: str) -> tuple[str, Kept] | None:
        """The owner of a stream and its snapshot; None if there is none that can be read."""
        try:
            with self._path(id).open("rb") as file:
                head, data = json.loads(file.readline(_LONGEST_HEAD)), file.read()
            return str(head["owner"]), Kept(int(head["frame"]), int(head["stop"]), data)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _write(self, id: str, owner: str, kept: Kept) -> None:
        head = json.dumps({"owner": owner, "frame": kept.frame, "stop": kept.stop})
        with replacing(self._path(id)) as temporary:
            temporary.write_bytes(f"{head}\n".encode() + kept.data)

    def _forget_old(self) -> None:
        size, oldest = 0, time.time() - _SECONDS_KEPT
        for changed, path, bytes_of_it in sorted(self._files(), reverse=True):
            size += bytes_of_it
            if size > self._most or changed < oldest:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[float, Path, int]]:
        for path in self.folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # another server may drop it meanwhile
                found = path.stat()
                yield found.st_mtime, path, found.st_size

    @contextlib.contextmanager
    def _locked(self, id: str) -> Iterator[None]:
        """One of a few locks, so that those who work on one stream come one after the other."""
        lock = self.folder / f".lock_{blake2b(id.encode()).digest()[0] % _LOCKS}"
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
