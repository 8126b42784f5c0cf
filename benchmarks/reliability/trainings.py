"""Trainings by the command line, each in a process of its own or in several, watched until they end."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from framecast.cli import main
from framecast.train.restoring import TrainingCheckpointIO

EVERY_STEP = "--checkpointing.every_n_train_steps=1"
REPO = Path(__file__).parents[2]
FAULTS = f"{__package__}.faults"
_QUIET = ("--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false", "--trainer.logger=false")
_LIMIT = 150.0  # seconds
_FORK = multiprocessing.get_context("fork")


def fault(name: str, **options: Any) -> dict[str, Any]:
    """One of the classes of `faults`, as a configuration names it."""
    return {"class_path": f"{FAULTS}.{name}", "init_args": options}


class Training:
    """`framecast train fit`, in a process that has all of it imported.

    Args:
        folder: Where it writes; made if missing.
        options: What comes after the configuration.
        config: The shipped configuration.
        settings: A second configuration.
        ranks: How many processes train together.
        awaited: What the output is to say; `said` is when it did.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        config: str = "tiny_tokenizer",
        settings: dict[str, Any] | None = None,
        ranks: int = 1,
        awaited: str | None = None,
    ):
        folder.mkdir(exist_ok=True)
        self.folder, self.ranks, self.awaited = folder, ranks, awaited
        self.statuses: list[int] = []
        """The exit status of each process; minus the signal if one ended it."""
        self.started = self.ended = self.said = float("nan")
        """When it was started, when it had ended, and when it said what was awaited."""
        self.orphans: list[int] = []
        """Its processes that were alive after its end."""
        self._processes: list[Any] = []
        self._settings = yaml.safe_dump(settings or {})
        common = (*_QUIET, f"--trainer.default_root_dir={folder}", "--allow", FAULTS)
        steps = ("--trainer.max_steps=4", "--trainer.val_check_interval=2", "--samples.every_n_steps=0")
        given = ["train", "fit", "--config", config, "--config", str(folder / "settings.yaml")]
        self.arguments = [*given, *common, *steps, *options]

    @property
    def status(self) -> int:
        """That of all processes, if it is the same; otherwise 999."""
        return self.statuses[0] if len(set(self.statuses)) == 1 else 999

    @property
    def output(self) -> str:
        """What its processes printed."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("output-*.txt")))

    @property
    def noted(self) -> float:
        """When the fault noted that it happened."""
        path = self.folder / "signal"
        return float(path.read_text()) if path.exists() else float("nan")

    @property
    def checkpoint(self) -> Path:
        """The last checkpoint."""
        return self.folder / "checkpoints" / "last.ckpt"

    def load(self) -> dict[str, Any]:
        """The content of the last checkpoint; a ValueError if it is not whole."""
        return TrainingCheckpointIO().load_checkpoint(self.checkpoint)

    def start(self) -> None:
        """Starts its processes; what an earlier training in the same folder said and noted is removed."""
        for path in (*self.folder.glob("output-*.txt"), self.folder / "signal"):
            path.unlink(missing_ok=True)
        (self.folder / "settings.yaml").write_text(self._settings)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._port = server.getsockname()[1]
        self.started = time.time()
        self._processes = [_FORK.Process(target=self._begin, args=(rank,)) for rank in range(self.ranks)]
        for process in self._processes:
            process.start()

    def look(self) -> bool:
        """Whether it has ended; ends what takes too long, and what has outlived the training."""
        if self.awaited and self.said != self.said and self.awaited in self.output:
            self.said = time.time()
        if time.time() - self.started > _LIMIT:
            self._end_group(signal.SIGKILL)
        if any(process.exitcode is None for process in self._processes):
            return False
        self.ended, self.statuses = time.time(), [process.exitcode for process in self._processes]
        self.orphans = self._left_over()
        self._end_group(signal.SIGKILL)
        return True

    def _begin(self, rank: int) -> None:
        os.setsid()
        output = os.open(self.folder / f"output-{rank}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        logging.disable(logging.NOTSET)
        warnings.resetwarnings()
        if self.ranks > 1:
            common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(self._port), "WORLD_SIZE": str(self.ranks)}
            os.environ |= {**common, "NODE_RANK": "0", "LOCAL_RANK": str(rank)}
        self._work()

    def _work(self) -> NoReturn:
        sys.exit(main(self.arguments))

    def _left_over(self) -> list[int]:
        """Processes of its sessions that still run, after a moment to end."""
        for _ in range(20):
            left = [pid for process in self._processes for pid in _session(process.pid)]
            if not left:
                break
            time.sleep(0.05)
        return left

    def _end_group(self, number: int) -> None:
        for process in self._processes:
            for pid in _session(process.pid):
                os.kill(pid, number)


class CommandLine(Training):
    """The same by `python -m framecast`, from nothing."""

    def _work(self) -> NoReturn:
        os.chdir(REPO)
        os.execv(sys.executable, [sys.executable, "-m", "framecast", *self.arguments])


def run_all(trainings: Iterable[Training], at_once: int = 2) -> None:
    """Runs trainings, so many at a time, until all have ended."""
    waiting, running = list(trainings), list[Training]()
    while waiting or running:
        while waiting and len(running) < at_once:
            running.append(waiting.pop(0))
            running[-1].start()
        time.sleep(0.02)
        running = [training for training in running if not training.look()]


def run(*trainings: Training) -> Sequence[Training]:
    """Runs some trainings, one after the other."""
    run_all(trainings, at_once=1)
    return trainings


def _session(leader: int) -> list[int]:
    """The processes of a session that are alive."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(state[3]) == leader and state[0] not in "ZX":
            found.append(int(entry.name))
    return found
