"""The notebook runs as it is (law 7)."""

from pathlib import Path

import nbformat
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
