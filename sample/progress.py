"""How far a clip is: a bar in terminals and notebooks, lines elsewhere, or a function of the caller."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console

from ..progress import Task

Progress = bool | Callable[[int, int], object] | None
"""Whether a bar is shown, or what is told the frames that are done and the frames in all."""

_BAR_WIDTH = 24


@contextmanager
def following(progress: Progress, total: int, what: str = "generating") -> Iterator[Callable[[int], None]]:
    """Gives what is told how many frames are done.

    Args:
        progress: True shows a bar on a terminal and in a notebook, and lines elsewhere, see `framecast.progress.Task`. A
            function is called with the frames that are done and the frames in all. False and `None` show nothing.
        total: Frames in all.
        what: What is done.

    Raises:
        ValueError: `progress` is none of these.
    """
    if progress is None or progress is False:
        yield lambda done: None
    elif progress is True:
        with _shown(total, what) as update:
            yield update
    elif callable(progress):
        report = progress

        def tell(done: int) -> None:
            report(done, total)

        yield tell
    else:
        raise ValueError(f"got progress {progress!r:.60}; wanted True, False, or a function of the frames done and those in all")


@contextmanager
def _shown(total: int, what: str) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    if not console.is_jupyter:
        with Task(what, total, "frames") as task:
            yield task.reach
        return
    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(_BAR_WIDTH),
        bars.TextColumn("{task.completed:.0f}/{task.total:.0f} frames"),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as bar:
        row = bar.add_task(what, total=total)
        yield lambda done: bar.update(row, completed=done)
