import json
import sys

import pytest

import framecast.data.parquet as parquet_module
from framecast.data.parquet import read_parquet, write_parquet


def test_columns_come_back_and_pandas_is_told_its_index(tmp_path):
    columns, types = (
        {"task": ["a", "b"], "n": [0, 1], "x": [[1.5], [2.5]]},
        {"task": "string", "n": "int64", "x": "list<float32>"},
    )
    write_parquet(tmp_path / "a.parquet", columns, types, index="task")
    assert read_parquet(tmp_path / "a.parquet") == columns
    assert read_parquet(tmp_path / "a.parquet", ["n", "gone"]) == {"n": [0, 1]}
    from pyarrow import parquet

    about = json.loads(parquet.read_schema(tmp_path / "a.parquet").metadata[b"pandas"])
    assert about["index_columns"] == ["task"] and [each["name"] for each in about["columns"]] == ["task", "n", "x"]


def test_what_is_no_parquet_file_says_so(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"text")
    with pytest.raises(ValueError, match=r"a.parquet is no parquet file that can be read \(.*; write it again"):
        read_parquet(tmp_path / "a.parquet")


def test_without_pyarrow_it_is_said_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"text")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        ValueError, match=r"pyarrow, which is not installed; run `pip install \"framecast\[worlds\]\"`, or keep actions"
    ):
        read_parquet(tmp_path / "a.parquet")


def test_more_than_is_read_is_refused_by_the_header(tmp_path, monkeypatch):
    write_parquet(tmp_path / "a.parquet", {"n": [0, 1], "x": [[1.5] * 9] * 2}, {"n": "int64", "x": "list<float32>"})
    monkeypatch.setattr(parquet_module, "_MOST_VALUES", 8)
    assert read_parquet(tmp_path / "a.parquet", ["n"]) == {"n": [0, 1]}
    with pytest.raises(ValueError, match=r"a.parquet has 20 values; wanted at most 8; split it"):
        read_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(parquet_module, "_MOST_ROWS", 1)
    with pytest.raises(ValueError, match=r"a.parquet has 2 rows; wanted at most 1; split it"):
        read_parquet(tmp_path / "a.parquet", ["n"])
