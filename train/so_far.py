"""A bundle of what there is: what a run leaves that was stopped by Ctrl-C, to be looked at."""

import shutil
import sys
from pathlib import Path

from ..sample.bundle_folder import is_bundle
from .checkpoint_bundle import export_checkpoint

_NAME = "bundle_so_far"


def write_so_far(root: Path, checkpoint: str) -> Path | None:
    """Exports a checkpoint beside the place of the finished bundle, and says so before.

    Args:
        root: The folder of the run.
        checkpoint: Its last checkpoint.

    Returns:
        The bundle; None if it could not be written, which is said.
    """
    print("making a bundle of what there is; a second Ctrl-C skips it", file=sys.stderr, flush=True)
    try:
        return export_checkpoint(checkpoint, root / _NAME)
    except (OSError, ValueError) as error:
        print(f"no bundle of what there is: {error}", file=sys.stderr, flush=True)
        return None


def remove_so_far(root: Path) -> None:
    """Removes such a bundle, once the training has made its own."""
    folder = root / _NAME
    if is_bundle(folder):
        shutil.rmtree(folder, ignore_errors=True)
