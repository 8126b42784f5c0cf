"""The notebooks run as they are (law 7)."""

import warnings
from pathlib import Path

import nbformat
import pytest
import tiny_world
from nbclient import NotebookClient

REPO = Path(__file__).resolve().parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def test_notebook_runs() -> None:
    notebook = nbformat.read(REPO / "docs" / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(REPO)}}).execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    players = [data for data in shown if WIDGET in data]
    pictures = [data for data in shown if WIDGET not in data and "<img" in str(data.get("text/html", ""))]
    assert len(pictures) == 2, "a clip at the end of a cell shows itself"
    assert len(players) == 1, "so does a player"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_notebook_of_ones_own_videos_runs() -> None:
    notebook = _own_videos()
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(REPO)}}).execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in data for data in shown) == 3 and sum("<img" in str(data) for data in shown) == 1


def test_notebook_of_ones_own_videos_begins() -> None:
    """Its cells up to the training run; what comes after compiles."""
    notebook = _own_videos()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        compile(cell.source, cell.id, "exec")
    training = next(cell for cell in notebook.cells if "framecast.train(" in cell.source)
    training.source = training.source.replace("framecast.train(videos, ", "dict(")  # the same names
    notebook.cells = notebook.cells[: notebook.cells.index(training) + 1]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(REPO)}}).execute()


@pytest.mark.slow
def test_notebook_of_planning_runs(tmp_path: Path) -> None:
    notebook = _planning(tmp_path)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(REPO)}}).execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in data for data in shown) == 1


def test_code_of_the_notebook_of_planning_plans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its cells in this process, which costs a tenth."""
    names: dict[str, object] = {}
    with warnings.catch_warnings():
        for cell in _planning(tmp_path).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, cell.id, "exec"), names)
    said = capsys.readouterr().out
    assert "planner: " in said and "random actions: " in said


def _planning(folder: Path) -> nbformat.NotebookNode:
    """The notebook of planning, in a tiny world and for few steps."""
    notebook = nbformat.read(REPO / "docs" / "plan_in_a_world.ipynb", as_version=4)
    bundle = tiny_world.save(folder / "bundle")
    for old, new in (
        ('BUNDLE = "world"', f"BUNDLE = {str(bundle)!r}"),
        ("max_steps=24", "max_steps=3"),
        ("tries=8, horizon=8", "tries=3, horizon=3"),
    ):
        cell = next(cell for cell in notebook.cells if cell.cell_type == "code" and old in cell.source)
        cell.source = cell.source.replace(old, new)
    return notebook


def _own_videos() -> nbformat.NotebookNode:
    return nbformat.read(REPO / "docs" / "own_videos.ipynb", as_version=4)
