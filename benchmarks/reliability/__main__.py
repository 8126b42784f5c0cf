"""`python -m benchmarks.reliability [FIGURE ...]`: what a hostile world does to it, a row for each kind of input."""

import argparse
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import torch

from framecast.progress import tracked

from . import r1, r2, r3, r4, r5, r6, r7, r8, r9, r10
from .table import HEADER

FIGURES = {figure.__name__.rpartition(".")[2]: figure.rows for figure in (r1, r2, r3, r4, r5, r6, r7, r8, r9, r10)}


def main() -> int:
    """Prints the table; 1 if anything did not pass."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(FIGURES)} (default: all)")
    figures = parser.parse_args().figures or list(FIGURES)
    if unknown := [name for name in figures if name not in FIGURES]:
        parser.error(f"got {unknown[0]}; wanted some of {', '.join(FIGURES)}")
    logging.disable(logging.WARNING)  # Lightning's, of each of the trainings that are tried
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # a process that forks must have no others
    print(HEADER, flush=True)
    wrong = []
    for name in figures:
        with tempfile.TemporaryDirectory() as folder:
            for row in tracked(FIGURES[name](Path(folder)), name, unit="rows"):
                print(row, flush=True)
                wrong += [f"{row.what}: {problem}" for problem in row.wrong]
    for problem in wrong[:50]:
        print(problem, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
