"""Checkpoints in parts: whoever reads them gets what was saved, and a damaged one says so."""

import json
from pathlib import Path

import pytest
import torch
from fake_processes import one_of
from torch.distributed.tensor import DTensor, Shard

from framecast.train import AtomicCheckpointIO
from framecast.train.checkpoints import precision_of
from framecast.train.restoring import check_ckpt_path
from framecast.train.sharding.parts import Manifest, is_in_parts, read_manifest, read_parts, write_part
from framecast.train.sharding.tensors import rows_of

SHAPES = {"matrix": (7, 3), "vector": (5,), "short": (2, 2)}
WHOLE = {name: torch.randn(shape, generator=torch.Generator().manual_seed(len(name))) for name, shape in SHAPES.items()}


def save(folder: Path, world: int, number: int = 0, whole: dict[str, torch.Tensor] = WHOLE) -> Path:
    """As processes save it together."""
    entries = {}
    folder.mkdir(exist_ok=True)
    for rank in range(world):
        with one_of(rank, world) as mesh:
            split = {
                name: DTensor.from_local(
                    value[rows_of(len(value), rank, world)].clone(), mesh, [Shard(0)], shape=value.shape, stride=value.stride()
                )
                for name, value in whole.items()
            }
            checkpoint = {"state_dict": split, "steps": [3, (split["vector"],)], "step": torch.tensor(3.0)}
            entries |= write_part(folder, checkpoint, number, rank, world)
    Manifest(number, world, entries, "32-true").write(folder)
    return folder


@pytest.mark.parametrize("world", [1, 3, 4])
def test_one_reader_gets_whole_tensors(tmp_path, world):
    found = AtomicCheckpointIO().load_checkpoint(save(tmp_path / "last.ckpt", world))
    assert all(torch.equal(found["state_dict"][name], value) for name, value in WHOLE.items())
    assert torch.equal(found["steps"][1][0], WHOLE["vector"]) and found["steps"][0] == 3 and float(found["step"]) == 3.0


@pytest.mark.parametrize("readers", [1, 2, 3, 5])
def test_any_number_of_processes_gets_its_rows(tmp_path, readers):
    folder = save(tmp_path / "last.ckpt", 3)
    parts = [read_parts(folder, rank, readers)["state_dict"] for rank in range(readers)]
    for name, value in WHOLE.items():
        assert torch.equal(torch.cat([part[name] for part in parts]), value)
        assert [len(part[name]) for part in parts] == [len(value[rows_of(len(value), r, readers)]) for r in range(readers)]


def test_a_new_checkpoint_takes_the_place_of_the_old_one(tmp_path):
    folder = save(tmp_path / "last.ckpt", 3)
    later = {name: value + 1 for name, value in WHOLE.items()}
    save(folder, 2, number=1, whole=later)
    assert torch.equal(read_parts(folder)["state_dict"]["matrix"], later["matrix"])
    assert {file.name for file in folder.iterdir()} == {"manifest.json", *read_manifest(folder).files}


def test_a_save_that_is_killed_leaves_the_old_one(tmp_path, monkeypatch):
    folder = save(tmp_path / "last.ckpt", 2)
    monkeypatch.setattr(Manifest, "write", lambda *_: None)  # killed before it
    save(folder, 2, number=1, whole={name: value + 1 for name, value in WHOLE.items()})
    assert torch.equal(read_parts(folder)["state_dict"]["matrix"], WHOLE["matrix"])


def test_the_command_line_knows_it(tmp_path):
    folder = tmp_path / "last.ckpt"
    with pytest.raises(ValueError, match="wanted `last` or the file of a checkpoint"):
        check_ckpt_path(str(tmp_path))
    save(folder, 2)
    check_ckpt_path(str(folder))
    assert is_in_parts(folder) and precision_of(folder) == "32-true"
    AtomicCheckpointIO().remove_checkpoint(folder)
    assert not folder.exists()


def test_a_damaged_one_says_so(tmp_path):
    folder = save(tmp_path / "last.ckpt", 2)
    part = folder / read_manifest(folder).part_file(1)
    content = part.read_bytes()
    part.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        ValueError, match=r"is damaged: part_0_1_of_2\.ckpt is not what its manifest says was saved; take another"
    ):
        read_parts(folder)
    part.unlink()
    with pytest.raises(ValueError, match=r"part_0_1_of_2\.ckpt is missing"):
        read_parts(folder)
    read_parts(folder, rank=0, world=2)  # the first process never looks at that part
    (folder / "manifest.json").unlink()
    with pytest.raises(ValueError, match="it is none, or was never finished"):
        read_parts(folder)


@pytest.mark.parametrize("said", ["[]", '{"number": -1, "processes": 2}', '{"number": 0, "processes": 1, "entries": {}}', "x"])
def test_a_damaged_manifest_says_so(tmp_path, said):
    folder = save(tmp_path / "last.ckpt", 1)
    (folder / "manifest.json").write_text(said)
    with pytest.raises(ValueError, match=r"manifest .* is damaged"):
        read_parts(folder)


@pytest.mark.parametrize("mark", [{"shape": 3}, {"shape": []}, {"shape": [-1]}, {"shape": ["x"]}, {}])
def test_a_mark_that_is_none_says_so(tmp_path, mark):
    """A file of a sound hash, whose content nobody would write."""
    folder = save(tmp_path / "last.ckpt", 1)
    entries = write_part(folder, {"state_dict": {"framecast.split": 0, **mark}}, 1, 0, 1)
    Manifest(1, 1, entries, None).write(folder)
    with pytest.raises(ValueError, match="its marks of split tensors are none"):
        read_parts(folder)


def test_more_processes_than_parts_do_not_fill_the_memory(tmp_path):
    """A small part that says that it is one of very many."""
    folder, most, row = tmp_path / "last.ckpt", 2**10, torch.zeros(1, 2**16)
    folder.mkdir()
    with one_of(0, most) as mesh:
        split = DTensor.from_local(row, mesh, [Shard(0)], shape=(most, 2**16), stride=(2**16, 1))
        entries = write_part(folder, {"state_dict": {"matrix": split}}, 0, 0, most)
    names = Manifest(0, most, {}, None).files
    Manifest(0, most, {name: entries.get(name, {"sha256": "", "size": 0}) for name in names}, None).write(folder)
    with pytest.raises(ValueError, match=r"its parts hold \d+ bytes, and its tensors want 268435456"):
        read_parts(folder)


def test_parts_of_two_checkpoints_do_not_go_together(tmp_path):
    """A part whose hash is right, and whose rows are not those that are marked."""
    folder, other = save(tmp_path / "a", 2), save(tmp_path / "b", 2, whole={**WHOLE, "matrix": WHOLE["matrix"][:3]})
    name = read_manifest(folder).part_file(1)
    (folder / name).write_bytes((other / name).read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["entries"][name] = json.loads((other / "manifest.json").read_text())["entries"][name]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="has not the rows that its values file marks"):
        read_parts(folder)
