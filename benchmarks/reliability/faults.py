"""What goes wrong in the trainings that are tried; configurations name these classes, and `--allow` lets them."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.utils.data import get_worker_info

from framecast.data import CaptionedClip, SpriteWorld
from framecast.train import ClipDataModule, LitVideoTokenizer

_LONG = 600  # seconds
_CALLS = {"open", "os.mkdir", "os.rename", "os.chmod", "os.remove", "os.rmdir", "shutil.rmtree"}


def send(note: Path, number: int, again: bool = False) -> None:
    """Notes the time, and sends the training a signal; once, however often it is called."""
    with suppress(FileExistsError), note.open("x") as file:
        file.write(str(time.time()))
        file.flush()
        training = os.getpid() if get_worker_info() is None else os.getppid()
        os.kill(training, number)
        if again:
            time.sleep(0.2)
            os.kill(training, number)


class SignalAt(L.Callback):
    """Sends its own process a signal.

    Args:
        moment: Where in the training: sanity, step, accumulation, validation, save or end.
        number: Which signal.
        step: Not before this step.
        rank: Which of the processes sends it to itself.
        after: How many times files are touched between the moment and the signal.
        again: Whether it is sent a second time, a little later and still at the moment.
    """

    def __init__(self, moment: str, number: int, step: int = 2, rank: int = 0, after: int = 0, again: bool = False):
        self.moment, self.number, self.step, self.rank, self.after, self.again = moment, number, step, rank, after, again

    def on_validation_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("sanity" if trainer.sanity_checking else "validation", trainer)

    def on_before_backward(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("step", trainer)

    def on_train_batch_start(self, trainer: L.Trainer, module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx % trainer.accumulate_grad_batches:
            self._reach("accumulation", trainer)

    def on_save_checkpoint(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("save", trainer)

    def on_fit_end(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("end", trainer)

    def _reach(self, moment: str, trainer: L.Trainer) -> None:
        late = moment == "sanity" or trainer.global_step >= self.step
        if moment != self.moment or not late or trainer.global_rank != self.rank:
            return
        arguments = (Path(trainer.default_root_dir) / "signal", self.number, self.again)
        if self.after:
            _count_calls(self.after, arguments)
        else:
            send(*arguments)


def _count_calls(wanted: int, arguments: tuple[Path, int, bool]) -> None:
    """Sends the signal before the so many-th time that this process makes, opens, renames or removes something."""
    calls = 0

    def count(event: str, _: Any) -> None:
        nonlocal calls
        if event in _CALLS and calls < wanted:
            calls += 1
            if calls == wanted:
                send(*arguments)

    sys.addaudithook(count)


class _Clips(SpriteWorld):
    """Something happens where one of its clips is read.

    Args:
        note: The file that tells when it has happened.
        bad: The clip.
        number: The signal, where one is sent.
        options: As of `SpriteWorld`.
    """

    def __init__(self, note: str, bad: int = 7, number: int = 0, num_clips: int = 64, num_frames: int = 5, size: int = 32):
        super().__init__(num_clips, num_frames, size)
        self._note, self._bad, self._number = Path(note), bad, number

    def __getitem__(self, index: int) -> CaptionedClip:
        if index == self._bad:
            self._fail()
        return super().__getitem__(index)

    def _fail(self) -> None:
        raise NotImplementedError

    def _tell(self) -> None:
        self._note.write_text(str(time.time()))


class RaisingClips(_Clips):
    """One clip raises."""

    def _fail(self) -> None:
        self._tell()
        raise KeyError("no such frame")


class DyingClips(_Clips):
    """One clip kills the process that reads it."""

    def _fail(self) -> None:
        self._tell()
        os.kill(os.getpid(), signal.SIGKILL)


class HangingClips(_Clips):
    """One clip never comes."""

    def _fail(self) -> None:
        self._tell()
        _sleep()


class WaitedForClips(_Clips):
    """One clip never comes, and while it is waited for the training gets a signal."""

    def _fail(self) -> None:
        time.sleep(0.5)
        send(self._note, self._number)
        _sleep()


class InterruptedClips(_Clips):
    """Where one clip is read, the training gets a signal."""

    def _fail(self) -> None:
        send(self._note, self._number)


class OpeningClips(_Clips):
    """While the source is opened, which takes long, a signal comes."""

    def __init__(self, note: str, number: int, num_clips: int = 64, num_frames: int = 5, size: int = 32):
        super().__init__(note, -1, number, num_clips, num_frames, size)
        send(self._note, self._number)
        _sleep()


class SpoiltBatches(ClipDataModule):
    """From a step on, one value in some batches is not finite; it is in the second clip.

    Args:
        value: That value.
        first: The first batch that is spoilt.
        count: How many are.
        options: As of `ClipDataModule`.
    """

    def __init__(
        self, source: SpriteWorld, value: float, first: int = 2, count: int = 1, val_clips: int = 4, batch_size: int = 2
    ):
        super().__init__(source, None, val_clips, batch_size, 0)
        self._value, self._left = value, range(first, first + count)
        self._number = 0

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        batch = super().on_after_batch_transfer(batch, dataloader_idx)
        if self.trainer is not None and self.trainer.training:
            if self._number in self._left:
                note_clip(self.trainer, batch["names"][1])
                batch["video"][1, 0, 2, 3, 4] = self._value
            self._number += 1
        return batch


class SpoiltLoss(LitVideoTokenizer):
    """The loss of one step is not finite."""

    value = float("nan")

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Any:
        output = super().training_step(batch, batch_idx)
        if batch_idx == 2:
            note_clip(self.trainer, "")
            output["loss"] = output["loss"] * self.value
        return output


class InfiniteLoss(SpoiltLoss):
    """The loss of one step is infinite."""

    value = float("inf")


class SpoiltGradient(L.Callback):
    """One value of one gradient is not finite, after one backward pass."""

    def __init__(self, value: float):
        self.value = value

    def on_after_backward(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.global_step == 2:
            note_clip(trainer, "")
            gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
            gradients[0].view(-1)[0] = self.value


class SpoiltLatents(L.Callback):
    """One value of the latents of the second clip of one step is not finite."""

    def __init__(self, value: float):
        self.value = value

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx != 2:
            return
        assert isinstance(pl_module, LitVideoTokenizer), pl_module
        note_clip(trainer, batch["names"][1])

        def spoil(_: torch.nn.Module, latents: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            spoilt = latents[0].clone()
            spoilt[1].view(-1)[0] = self.value
            handle.remove()
            return (spoilt, *latents[1:])

        handle = pl_module.tokenizer.quantizer.register_forward_pre_hook(spoil)


class FailingSaves(L.Callback):
    """From the third step on, or from the export on, nothing can be saved in a folder.

    The failure is a real one where the machine allows it; then there is a file `real`.

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


class Unchanged(L.Callback):
    """Notes each step that changed nothing, neither weights nor what the optimizer remembers."""

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        self._before = _state(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        after = _state(trainer, pl_module)
        if len(after) == len(self._before) and all(map(torch.equal, after, self._before)):
            _append(Path(trainer.default_root_dir) / "unchanged", str(batch_idx))


class Names(L.Callback):
    """Notes which clips each batch of the training has."""

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        clips = batch["names"] if "names" in batch else [str(batch["tokens"].flatten().tolist())]
        _append(Path(trainer.default_root_dir) / "names", " ".join(clips))


def note_clip(trainer: L.Trainer, name: str) -> None:
    """Notes which clip was spoilt."""
    _append(Path(trainer.default_root_dir) / "spoilt", name)


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")


def _state(trainer: L.Trainer, module: L.LightningModule) -> list[torch.Tensor]:
    moments = [value for o in trainer.optimizers for state in o.state.values() for value in state.values()]
    return [value.clone() for value in (*module.state_dict().values(), *moments)]


def _sleep() -> None:
    """As good as for ever, in parts that signals end."""
    for _ in range(10 * _LONG):
        time.sleep(0.1)
