"""Files of actions: each kind read, and each mistake named."""

import zipfile

import numpy as np
import pytest

from framecast.data.parquet import write_parquet
from framecast.data.recorded.tables import listed, read_numbers, read_table

ROWS = np.array([[0.5, 1.0], [-0.25, 0.0], [np.nan, np.nan]])
FLOATS = {"steering": "float32", "gas": "float64", "reward": "float32", "end": "bool_", "timestamp": "float64"}


@pytest.fixture
def files(tmp_path):
    """The same rows in a file of each kind."""
    np.save(tmp_path / "a.npy", ROWS.astype(np.float32))
    np.savez(tmp_path / "a.npz", actions=ROWS, rewards=[0, 1, 2], ends=[False, False, True])
    text = "\ufeffsteering, gas,reward,end,timestamp\r\n0.5,1,0,false,0.0\r\n-0.25,0,1,FALSE,0.1\r\n\r\n,,2,true,0.2\r\n"
    (tmp_path / "a.csv").write_bytes(text.encode())
    gone = [None if np.isnan(value) else float(value) for value in ROWS[:, 0]]
    columns = {"steering": gone, "gas": ROWS[:, 1], "reward": [0, 1, 2], "end": [False, False, True], "timestamp": [0, 1, 2]}
    write_parquet(tmp_path / "a.parquet", columns, FLOATS)
    return tmp_path


@pytest.mark.parametrize("kind", ["npy", "npz", "csv", "parquet"])
def test_every_kind_holds_the_same(files, kind):
    table = read_table(files / f"a.{kind}")
    np.testing.assert_array_equal(table.actions, ROWS)
    assert table.names == (("steering", "gas") if kind in ("csv", "parquet") else None)
    if kind != "npy":
        assert table.rewards.tolist() == [0, 1, 2] and table.ends.tolist() == [0, 0, 1]


def test_rows_may_stand_in_the_line():
    np.testing.assert_array_equal(listed([[0.5, True], [-0.25, 0], None]).actions, ROWS)
    for bad in ([[1, 2], [3]], [["left"]], [{}]):
        with pytest.raises(ValueError, match="the rows that are no numbers, or rows of different lengths"):
            listed(bad)
    with pytest.raises(ValueError, match=r"the rows of shape \[2\]; wanted \[frames, numbers of an action\]"):
        listed([1, 2])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", r"got a.txt as a file of actions; wanted .npy, .npz, .csv or .parquet"),
        ("gone.npy", None, "cannot be read .No such file"),
        ("a.npy", b"text", "a.npy holds no arrays of numpy"),
        ("a.csv", b"1,2\n3,4\n", "begins with no names; wanted a first row such as"),
        ("a.csv", b"", "begins with no names"),
        ("a.csv", b"a,b\n1,2\n3\n", "has 1 values in row 1; wanted 2, one for each name"),
        ("a.csv", b"a,b\n1,left\n", "values of 'b' that are no numbers"),
        ("a.csv", b"reward,time\n1,2\n", "no column of an action, but reward, time"),
        ("a.csv", b"\xff\xfe", "is not UTF-8 text"),
        ("a.parquet", b"PAR1", "no parquet file that can be read"),
    ],
)
def test_a_file_that_holds_none_says_why(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_table(tmp_path / name)


def test_arrays_of_another_form_are_refused(tmp_path):
    np.save(tmp_path / "flat.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", keys=np.zeros(3))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"flat.npy of shape \[3\]; wanted \[frames, numbers of an action\]"):
        read_table(tmp_path / "flat.npy")
    with pytest.raises(ValueError, match="no array `actions`; wanted that, and maybe `rewards` and `ends`"):
        read_table(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="holds no arrays of numpy"):
        read_table(tmp_path / "objects.npy")
    assert read_numbers(tmp_path / "flat.npy").tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match=r"holds no arrays of numpy|that are no numbers"):
        read_numbers(tmp_path / "other.npz")


def promising(shape: str) -> bytes:
    """A `.npy` file that says how much would follow."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


def test_files_that_would_fill_the_memory_are_refused_by_their_headers(tmp_path):
    (tmp_path / "a.npy").write_bytes(promising("(1000000000000, 1)"))
    with pytest.raises(ValueError, match=r"a.npy has 8000000000000 bytes of numbers, unpacked; wanted at most 1073741824"):
        read_table(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("actions.npy", promising("(400000000, 2)"))
    with pytest.raises(ValueError, match=r"a.npz has 6400000000 bytes of numbers, unpacked; wanted at most 1073741824"):
        read_table(tmp_path / "a.npz")


def test_a_cell_without_end_is_named(tmp_path):
    (tmp_path / "a.csv").write_text('x,y\n"' + "1" * 200_000)
    with pytest.raises(ValueError, match=r"a.csv is no table .field larger than field limit.*wanted numbers with commas between"):
        read_table(tmp_path / "a.csv")


def test_a_text_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(2**26 + 1)
    with pytest.raises(ValueError, match=r"a.csv has 67108865 bytes; wanted at most 67108864"):
        read_table(tmp_path / "a.csv")
