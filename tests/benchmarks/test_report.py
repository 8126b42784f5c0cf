"""The benchmark as a command: it says what it is at, gives rows as they are measured, and knows its output beforehand."""

import json
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as bench
from benchmarks.report import check_output, usable_device
from benchmarks.timing import Contest, Limits

LIMITS = Limits(bandwidth=1e9, arithmetic={torch.float32: 1e10, torch.bfloat16: 1e11})


def test_rows_are_printed_as_they_are_measured(tmp_path, monkeypatch, capsys):
    seen = []

    def second():
        seen.append(capsys.readouterr())
        time.sleep(0.001)

    contests = [
        Contest("first", partial(time.sleep, 0.001), 1, "nap", partial(time.sleep, 0.002), "a peer"),
        Contest("next", second, 1, "nap"),
    ]
    monkeypatch.setattr(bench, "contests_of", lambda *_: contests)
    monkeypatch.setattr(bench.Limits, "measure", lambda _: LIMITS)
    bench.main(["--only", "default", "--out", str(tmp_path / "deep" / "report")])
    before = seen[0]
    assert before.out.startswith("first: ") and " times as fast as a peer\n" in before.out
    assert before.err.splitlines() == ["measuring the machine's limits", "preparing default", "measuring first", "measuring next"]
    assert [row["name"] for row in json.loads((tmp_path / "deep" / "report.json").read_text())["rows"]] == ["first", "next"]


def test_what_cannot_be_measured_is_known_first(tmp_path):
    (tmp_path / "report.json").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "report.json", tmp_path / "file" / "report.json"):
        with pytest.raises(ValueError, match=r"cannot write .*; name another --out"):
            check_output(Path(path))
    assert usable_device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match="got --device abacus; wanted one that is here"):
        usable_device("abacus")
