"""`ShardedCheckpointIO`: the checkpoints of a training whose weights are split, kept by all its processes together."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Shard

from ..checkpoints import CheckpointError, manifest_path
from ..entries import set_aside
from ..restoring import LIKE_PARAMETERS, TrainingCheckpointIO
from .parts import Manifest, is_in_parts, read_manifest, read_parts, write_part
from .tensors import rows_of
from .together import together


class ShardedCheckpointIO(TrainingCheckpointIO):
    """Writes checkpoints as folders, see `parts`, and reads these and the files of other trainings; all processes take part.

    Killed at any moment, it leaves the checkpoint of before or the new one, whole. All machines must share the folder.

    Args:
        mesh: Gives the processes, in one dimension, once they are known.
    """

    def __init__(self, mesh: Callable[[], DeviceMesh]):
        self._mesh = mesh

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Saves `checkpoint` in the folder `path`; the folder above it must exist.

        Raises:
            CheckpointError: A process could not write its part, or process 0 does not see it.
        """
        path, rank, world = Path(path), dist.get_rank(), dist.get_world_size()
        with set_aside(path, folder=True) if rank == 0 else nullcontext():
            number = together(lambda: _next_number(path) if rank == 0 else 0, CheckpointError)[0]
            written = together(lambda: write_part(path, checkpoint, number, rank, world), CheckpointError)
            entries = {name: entry for each in written for name, entry in each.items()}
            manifest = Manifest(number, world, entries, checkpoint.get("precision"))
            together(lambda: _finish(path, manifest) if rank == 0 else None, CheckpointError)

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """As `TrainingCheckpointIO`, with split tensors, also out of the file of a training that had whole ones."""
        load = super().load_checkpoint
        found: list[dict[str, Any]] = []
        together(lambda: found.append(load(path, map_location, weights_only)))
        (checkpoint,) = found
        if Path(path).is_file():
            self._split(checkpoint)
        return checkpoint

    def read_folder(self, path: Path) -> dict[str, Any]:
        mesh = self._mesh()
        return read_parts(path, mesh.get_local_rank(), mesh.size(), self._wrapped)

    def _wrapped(self, rows: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The rows of this process as a split tensor."""
        mesh, strides = self._mesh(), [1]
        for size in reversed(shape[1:]):
            strides.insert(0, strides[0] * max(size, 1))
        split: Tensor = DTensor.from_local(rows.to(mesh.device_type), mesh, [Shard(0)], shape=shape, stride=tuple(strides))  # type: ignore[arg-type]
        return split

    def _split(self, checkpoint: dict[str, Any]) -> None:
        """Whole tensors that belong to parameters are split."""
        mesh = self._mesh()
        for values, name in _of_parameters(checkpoint):
            value: Tensor = values[name]
            own = value[rows_of(value.shape[0], mesh.get_local_rank(), mesh.size())].clone()
            values[name] = self._wrapped(own, tuple(value.shape))


def _of_parameters(checkpoint: dict[str, Any]) -> Iterator[tuple[dict[Any, Any], Any]]:
    """Where a checkpoint has weights, averages, and what the optimizers remember of them."""
    average = checkpoint["callbacks"].get("EMA", {}).get("average", {})
    for values in (checkpoint["state_dict"], average):
        yield from ((values, name) for name in values)
    for optimizer in checkpoint["optimizer_states"]:
        for state in optimizer["state"].values():
            yield from ((state, name) for name in LIKE_PARAMETERS if isinstance(state.get(name), Tensor))


def _next_number(folder: Path) -> int:
    """Makes the folder; the number of its next checkpoint."""
    folder.mkdir(exist_ok=True)
    return read_manifest(folder).number + 1 if is_in_parts(folder) else 0


def _finish(folder: Path, manifest: Manifest) -> None:
    """Process 0 sees what all have written, and only then it holds."""
    for name in manifest.files:
        file = folder / name
        if not file.is_file() or file.stat().st_size != manifest.entries[name]["size"]:
            raise ValueError(
                f"could not save the checkpoint {folder}: process 0 does not see {name}; wanted a folder that all machines "
                "share; set `--trainer.default_root_dir` to one; what was there before is untouched"
            )
    manifest.write(folder)
    manifest_path(folder).unlink(missing_ok=True)  # of a file that was there before
