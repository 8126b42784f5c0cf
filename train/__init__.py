"""Training: `framecast train`, Lightning modules, losses, callbacks and the shipped configurations.

The room can be called: `framecast.train("my_videos")` is what `framecast train my_videos` is on the command line.
"""

import sys
from collections.abc import Sequence
from os import PathLike
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..faces import face

if TYPE_CHECKING:
    from .own.run import Trained

__getattr__, __dir__, __all__ = face(__name__, __file__)


class _Room(ModuleType):
    """A module that is called: Python looks calls up in the class of a module."""

    def __call__(
        self,
        videos: str | PathLike[str],
        *,
        size: int = 64,
        fps: float | None = None,
        minutes: float = 60.0,
        out: str | PathLike[str] = "runs/mine",
        hold_out: float | str = 0.1,
        include: str | Sequence[str] = "*",
        captions: str | PathLike[str] | None = None,
        actions: str | PathLike[str] | None = None,
        action_delay: int = 0,
        title: str | None = None,
        licence: str | None = None,
        seed: int = 0,
    ) -> "Trained":
        """Trains a tokenizer and a video LM on the videos of a folder; shows and judges the result.

        The same call again goes on where it stopped, and gives the model at once if it is trained.

        Args:
            videos: The folder; docs/training.md says which files are read.
            size: Rows and columns of a frame in pixels, a multiple of 8; beyond 96 a multiple of 16.
            fps: Frames per second; None takes those of a recording, and else 12.
            minutes: How long all of it may take on this machine. Sizes of networks and numbers of steps follow from it.
            out: Folder of the run: tokenizer, tokens, lm, bundle, samples, report.
            hold_out: Which files are kept from training: a share of them, or a pattern of paths such as "held_out/*".
            include: Which files are used: sub-folders, or patterns of paths such as "kitchen/*".
            captions: A file in the place of `captions.jsonl` in the folder.
            actions: A file in the place of `actions.jsonl` in the folder. With actions, the model is a world to play in.
            action_delay: Stored frames of a file that pass until an action shows in the picture.
            title: What the model is called; None is the name of the folder.
            licence: Under what the model may be used; stands on its card.
            seed: Chooses held-out files, the order of the clips and the first weights.

        Returns:
            Where the model lies (`.bundle`), and the model itself (`.generator()`).

        Raises:
            ValueError: The videos or a setting do not do, or the run was begun with other settings.
            KeyboardInterrupt: The training was stopped; what was learned is kept.
            RuntimeError: The training failed; the message says why.
        """
        from .own.run import train_in_python
        from .own.settings import OwnSettings, usual_rate

        lists = {"captions": captions, "actions": actions}
        paths: dict[str, Any] = {"videos": str(videos), "out": str(out)} | {
            name: str(path) for name, path in lists.items() if path is not None
        }
        fps = usual_rate(str(videos)) if fps is None else fps
        options: dict[str, Any] = {
            "hold_out": str(hold_out),
            "include": include,
            "action_delay": action_delay,
            "title": title,
            "licence": licence,
        }
        print(f"Looking at the videos in {videos}.", flush=True)
        return train_in_python(OwnSettings(**paths, **options, size=size, fps=fps, minutes=minutes, seed=seed))


sys.modules[__name__].__class__ = _Room
__doc__ = f"{__doc__}\n{_Room.__call__.__doc__}"  # `help(framecast.train)` shows the text of the module
