"""Loading clips for a training: processes that are watched."""

import ctypes
import gc
import platform
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

PATIENCE = 3.0  # seconds after which is said what is waited for
TIME_LIMIT = 60.0  # seconds after which a batch will not come
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux' prctl
_IDLE = -1


class LoaderError(RuntimeError):
    """Clips cannot be loaded; the message names the clip or the process, and says what to do."""


class WatchedLoader(DataLoader):
    """Batches of a data set, and a word about the process and the clip if one fails, dies or hangs.

    A batch that is long in coming is named after 3 seconds, and is an error after `time_limit`. The processes end with the one
    that started them, whatever they do.

    Args:
        dataset: Gives an item for each index.
        batch_size: Items of a batch.
        collate_fn: Makes a batch of items.
        num_workers: Processes that load beside the training; 0 loads in it.
        time_limit: Seconds that a batch of the processes may take.
        generator: Where random numbers are drawn from; None takes a new one, since loaders must not draw from the training's.
        options: As of torch's `DataLoader`.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        collate_fn: Callable,
        num_workers: int,
        time_limit: float = TIME_LIMIT,
        generator: torch.Generator | None = None,
        **options: Any,
    ):
        self.places = torch.full((max(num_workers, 1),), _IDLE, dtype=torch.int64).share_memory_()
        super().__init__(
            _Noted(dataset, self.places),
            batch_size,
            collate_fn=_CollateWhole(collate_fn),
            num_workers=num_workers,
            timeout=time_limit if num_workers else 0,
            persistent_workers=num_workers > 0,
            worker_init_fn=_begin_worker,
            generator=generator or torch.Generator(),
            **options,
        )

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        with _garbage_left_here():
            batches = super().__iter__()
        _deaths.take_over()
        while True:
            with self._named(), _deaths.heard():
                batch = next(batches, None)
            if batch is None:
                return
            if isinstance(batch, _Failure):
                raise LoaderError(batch.message) from RuntimeError(batch.details)
            yield batch

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Says what is waited for, and turns torch's errors into ours."""
        alarm = threading.Timer(PATIENCE, self._speak)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        except (RuntimeError, OSError, EOFError, _Death) as error:
            if not self.num_workers or isinstance(error, LoaderError):
                raise
            reason = str(error) if "DataLoader" in str(error) else f"DataLoader worker has died ({error or type(error).__name__})"
            raise LoaderError(
                f"{reason.splitlines()[0]}; {self._whereabouts()}; look at the clip named there, or load in one process with "
                "`data.init_args.num_workers: 0`"
            ) from error
        finally:
            alarm.cancel()

    def _speak(self) -> None:
        print(f"waiting for clips for {PATIENCE:g} s: {self._whereabouts()}", file=sys.stderr, flush=True)

    def _whereabouts(self) -> str:
        """What each process is at."""
        kind = "process" if self.num_workers else "the training"
        busy = [(worker, index) for worker, index in enumerate(self.places.tolist()) if index != _IDLE]
        named = [f"{kind}{f' {worker}' if self.num_workers else ''} is at clip {index}" for worker, index in busy]
        return ", ".join(named) or "no clip is being read"


@contextmanager
def _garbage_left_here() -> Iterator[None]:
    """Inside, processes are started that never free what they got from this one.

    A decoder of ours that they would free has threads here and none there. The decoder would wait for these threads for ever.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _Death(BaseException):
    """A loader's process has died. It is no `Exception`: a death comes anywhere, also where torch passes over failures."""


class _Deaths:
    """Says that a loader's process has died where clips are waited for; torch would say it in the middle of a step."""

    def __init__(self) -> None:
        self._torchs: Callable[[int, FrameType | None], Any] | None = None
        self._waiting = False
        self._death: _Death | None = None

    def take_over(self) -> None:
        """Takes the place of torch's handler, which is there once processes are started from the main thread.

        What died before is forgotten: it was another loader's, which may be gone.
        """
        self._death = None
        found = signal.getsignal(signal.SIGCHLD)
        if callable(found) and found != self._arrive and threading.current_thread() is threading.main_thread():
            self._torchs = found
            signal.signal(signal.SIGCHLD, self._arrive)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Inside, a death is an error, also one that came before."""
        try:
            self._waiting = True
            if self._death is not None:
                death, self._death = self._death, None
                raise death
            yield
        finally:
            self._waiting = False

    def _arrive(self, number: int, frame: FrameType | None) -> None:
        assert self._torchs is not None
        try:
            self._torchs(number, frame)
        except RuntimeError as error:
            self._death = None if self._waiting else _Death(str(error))
            if self._waiting:
                raise _Death(str(error)) from None


_deaths = _Deaths()


@dataclass(frozen=True)
class _Failure:
    """An item that cannot be loaded; errors with their traceback do not travel well between processes."""

    message: str
    details: str


class _Noted(Dataset):
    """A data set that notes which item each process is at, and gives a `_Failure` in the place of an error."""

    def __init__(self, dataset: Dataset, places: torch.Tensor):
        self.dataset, self.places = dataset, places

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Any:
        info = get_worker_info()
        worker = 0 if info is None else info.id
        self.places[worker] = index
        try:
            return self.dataset[index]
        except Exception as error:
            where = "the training" if info is None else f"process {worker}"
            reason = f"{type(error).__name__}: {error}"
            return _Failure(f"clip {index} cannot be loaded in {where} ({reason}); mend or exclude it", traceback.format_exc())
        finally:
            self.places[worker] = _IDLE


@dataclass(frozen=True)
class _CollateWhole:
    """Makes a batch if all items are there; otherwise hands on the first failure."""

    collate: Callable

    def __call__(self, items: list[Any]) -> Any:
        return next((item for item in items if isinstance(item, _Failure)), None) or self.collate(items)


def _begin_worker(worker_id: int) -> None:
    """Ctrl-C reaches every process of a terminal: the training decides when its workers end, and takes them along."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
