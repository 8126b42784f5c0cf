"""The notebook runs as it is (law 7)."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

REPO = Path(__file__).resolve().parent.parent


def test_notebook_runs() -> None:
    notebook = nbformat.read(REPO / "docs" / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(REPO)}}).execute()
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "<img" in str(output.get("data", {}).get("text/html", ""))
    ]
    assert len(pictures) == 2, "a clip at the end of a cell shows itself"
