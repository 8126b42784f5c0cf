"""Files given as `--ckpt_path` that try to run code, to fill the memory, or to pass for a checkpoint."""

import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

MARKER = "code_ran"


class Touch:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def make_checkpoints(folder: Path, sound: Path, changed: bool = True) -> Iterator[tuple[str, Path]]:
    """Files that are to be refused, by what is wrong with them; `sound` is a checkpoint to start from.

    With `changed`, also those that torch itself would load.
    """
    for number, (what, make) in enumerate({**_FOREIGN, **_ARCHIVES}.items()):
        path = folder / f"foreign_{number}.ckpt"
        make(path, sound)
        yield what, path
    for number, (what, data) in enumerate(_pickles(folder / MARKER).items()):
        path = folder / f"pickle_{number}.ckpt"
        _repack(path, sound, data)
        yield f"{what} in an archive", path
        (folder / f"bare_{number}.ckpt").write_bytes(data)
        yield f"{what} as it is", folder / f"bare_{number}.ckpt"
    for number, (what, change) in enumerate(CHANGES.items() if changed else ()):
        path = folder / f"changed_{number}.ckpt"
        checkpoint = torch.load(sound, weights_only=True)
        torch.save(change(checkpoint), path)
        yield what, path


def _pickles(marker: Path) -> dict[str, bytes]:
    """Pickles of every kind, most of which run code if pickle may."""
    call = f"cposix\nmkdir\n(V{marker}\nt".encode()
    touch = {f"code by REDUCE, protocol {n}": pickle.dumps({"state_dict": Touch(marker)}, protocol=n) for n in range(6)}
    return {
        **touch,
        "code by GLOBAL and REDUCE": call + b"R.",
        "code by INST": f"(V{marker}\niposix\nmkdir\n.".encode(),
        "code by OBJ": f"(cposix\nmkdir\nV{marker}\no.".encode(),
        "code by BUILD": b"ccollections\nOrderedDict\n)R}Vupdate\ncposix\nmkdir\nsb.",
        "code by STACK_GLOBAL": b"\x80\x04\x8c\x05posix\x8c\x05mkdir\x93\x8c\x01x\x85R.",
        "eval": b"cbuiltins\neval\n(V__import__('os').getpid()\ntR.",
        "an attribute of torch": b"ctorch.hub\nload\n(Vx\ntR.",
        "torch.load itself": b"ctorch\nload\n(Vx\ntR.",
        "a huge bytearray": b"cbuiltins\nbytearray\n(I100000000000\ntR.",
        "an extension": b"\x80\x02\x82\x01.",
        "a persistent name": b"Pmodule\n.",
        "tuples in tuples": b"\x80\x02)" + b"\x85" * 200_000 + b".",
        "lists that double": b"\x80\x02]q\x00" + b"".join(b"](h\x00h\x00eq\x00" for _ in range(64)) + b".",
        "a list in itself": b"\x80\x02}X\x0a\x00\x00\x00state_dict]q\x00h\x00as.",
        "a stack that runs dry": b"\x80\x02u.",
        "a mark that is not there": b"\x80\x02e.",
        "a memo that is not there": b"\x80\x02h\x07.",
        "an unknown instruction": b"\x80\x02\xff.",
        "no end": b"\x80\x02}",
        "nothing at all": b"",
        "a number": b"\x80\x02K\x07.",
        "a number of 2000 bits": b"\x80\x02}X\x0b\x00\x00\x00global_step\x8a\xff" + b"\x01" * 255 + b"s.",
        "a text that says it is huge": b"\x80\x02X\xff\xff\xff\x7fabc.",
        "a million instructions": b"\x80\x02]" + b"K\x01a" * 500_000 + b".",
    }


def _repack(path: Path, sound: Path, pickled: bytes, **replaced: bytes) -> None:
    """The archive of `sound` with another pickle, and other parts by the end of their name."""
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.infolist():
            end = part.filename.rpartition("/")[2]
            data = pickled if end == "data.pkl" else replaced.get(end, source.read(part))
            target.writestr(part.filename, data)


def _pickled(sound: Path) -> bytes:
    with zipfile.ZipFile(sound) as source:
        return next(source.read(name) for name in source.namelist() if name.endswith("data.pkl"))


def _save_legacy(path: Path, sound: Path) -> None:
    torch.save({"state_dict": {}}, path, _use_new_zipfile_serialization=False)


def _save_tar(path: Path, sound: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for name in ("storages", "tensors", "pickle", "sys_info"):
            part = tarfile.TarInfo(name)
            data = pickle.dumps(Touch(path.parent / MARKER))
            part.size = len(data)
            archive.addfile(part, io.BytesIO(data))


def _save_script(path: Path, sound: Path) -> None:
    """What `torch.jit.save` would make; parts of it by hand, since compiling takes seconds."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {"data.pkl": b"\x80\x02}.", "code/__torch__.py": b"op_version_set = 1", "version": b"3"}.items():
            archive.writestr(f"archive/{name}", data)


def _save_bomb(path: Path, sound: Path) -> None:
    """Some 4 MB that unpack to a GiB or so."""
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name in ("data.pkl", "version"):
            target.writestr(f"archive/{name}", _pickled(sound) if name == "data.pkl" else b"3")
        with target.open("archive/data/0", "w", force_zip64=True) as part:
            for _ in range(256):
                part.write(bytes(2**22))
        assert source.namelist()


def _lie_about_sizes(path: Path, sound: Path) -> None:
    """The list of parts says 2 GiB where 100 bytes are."""
    data = bytearray(sound.read_bytes())
    place = data.rfind(b"PK\x01\x02")
    data[place + 20 : place + 28] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(data)


def _name_part_twice(path: Path, sound: Path) -> None:
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
        target.writestr("other/data.pkl", b"\x80\x02}.")


def _cut(share: float) -> Callable[[Path, Path], None]:
    def cut(path: Path, sound: Path) -> None:
        data = sound.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return cut


def _truncate(path: Path, sound: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**34)


def _truncate_as_told(path: Path, sound: Path) -> None:
    """With a manifest that says so, whose hash would take long to compare."""
    _truncate(path, sound)
    entries = [{"sha256": "0" * 64, "size": path.stat().st_size}]
    path.with_name(f"{path.name}.manifest.json").write_text(json.dumps({"format": 1, "entries": entries}))


def _claim_large(path: Path, sound: Path) -> None:
    """Each tensor of 128 values claims to be an expanded one of billions."""
    storage = torch.zeros(1)
    torch.save({**torch.load(sound, weights_only=True), "extra": storage.expand(2**40)}, path)


_FOREIGN: dict[str, Callable[[Path, Path], object]] = {
    "an empty file": lambda path, _: path.write_bytes(b""),
    "text": lambda path, _: path.write_text("a checkpoint"),
    "noise": lambda path, _: path.write_bytes(bytes(range(256)) * 64),
    "a folder": lambda path, _: path.mkdir(),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a device": lambda path, _: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path, _: path.symlink_to("nowhere"),
    "a link to itself": lambda path, _: path.symlink_to(path.name),
    "a file of 16 GiB of holes": _truncate,
    "a file of 16 GiB of holes, as its manifest says": _truncate_as_told,
    "the old format of torch": _save_legacy,
    "an archive of tar": _save_tar,
    "TorchScript": _save_script,
    **{f"cut off at {share:.0%}": _cut(share) for share in (0.01, 0.3, 0.7, 0.99)},
}
_ARCHIVES: dict[str, Callable[[Path, Path], object]] = {
    "compressed to a thousandth": _save_bomb,
    "parts that say they are 2 GiB": _lie_about_sizes,
    "two pickles": _name_part_twice,
    "a tensor expanded a trillion times": _claim_large,
    "the other byte order": lambda path, sound: _repack(path, sound, _pickled(sound), byteorder=b"big"),
    "no byte order": lambda path, sound: _repack(path, sound, _pickled(sound), byteorder=b"\xff"),
    "tensors without content": lambda path, sound: _repack(path, sound, _pickled(sound), **{"0": b""}),
    "an archive of nothing": lambda path, _: zipfile.ZipFile(path, "w").close(),
}


def _with(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda checkpoint: {**checkpoint, **changes}


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda checkpoint: {key: value for key, value in checkpoint.items() if key != name}


def _first_weight(change: Callable[[torch.Tensor], Any]) -> Callable[[dict[str, Any]], Any]:
    def changed(checkpoint: dict[str, Any]) -> dict[str, Any]:
        weights = OrderedDict(checkpoint["state_dict"])
        name = next(iter(weights))
        weights[name] = change(weights[name])
        return {**checkpoint, "state_dict": weights}

    return changed


def _adam_state(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Changes what the optimizer remembers of its first parameter."""

    def changed(checkpoint: dict[str, Any]) -> dict[str, Any]:
        state = checkpoint["optimizer_states"][0]
        first = next(iter(state["state"]))
        state["state"][first] = change(state["state"][first])
        return checkpoint

    return changed


def _group(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    def changed(checkpoint: dict[str, Any]) -> dict[str, Any]:
        checkpoint["optimizer_states"][0]["param_groups"][0][name] = value
        return checkpoint

    return changed


def _average(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def changed(checkpoint: dict[str, Any]) -> dict[str, Any]:
        return {**checkpoint, "callbacks": {**checkpoint["callbacks"], "EMA": change(checkpoint["callbacks"]["EMA"])}}

    return changed


_TOP = ("state_dict", "loops", "callbacks", "optimizer_states", "lr_schedulers", "random_state", "epoch", "global_step")
CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    **{f"without {name}": _without(name) for name in (*_TOP, "pytorch-lightning_version")},
    **{f"{name} is text": _with(**{name: "text"}) for name in (*_TOP, "ClipDataModule")},
    **{f"{name} is a list": _with(**{name: [1, [2]]}) for name in (*_TOP, "ClipDataModule", "pytorch-lightning_version")},
    "a list": lambda checkpoint: [checkpoint],
    "a tensor": lambda checkpoint: torch.zeros(3),
    "a version that is none": _with(**{"pytorch-lightning_version": "newest"}),
    "a step below zero": _with(global_step=-1),
    "no loops": _with(loops={}),
    "loops that count in text": _with(loops={"fit_loop": {"epoch_progress": {"total": {"ready": "x"}}}}),
    "weights of another network": _with(state_dict={"other": torch.zeros(3)}),
    "weights that are no tensors": _first_weight(lambda value: value.tolist()),
    "a weight that is not a number": _first_weight(lambda value: torch.full_like(value, float("nan"))),
    "an infinite weight": _first_weight(lambda value: torch.full_like(value, float("inf"))),
    "a weight of another shape": _first_weight(lambda value: torch.zeros(3, 3)),
    "a complex weight": _first_weight(lambda value: value.to(torch.complex64)),
    "a weight of whole numbers": _first_weight(lambda value: value.long()),
    "a sparse weight": _first_weight(lambda value: value.to_sparse()),
    "no memory of the optimizer": _with(optimizer_states=[]),
    "an optimizer of other parameters": _with(optimizer_states=[{"state": {}, "param_groups": [{"params": [0]}]}]),
    "an optimizer that remembers text": _adam_state(lambda state: "text"),
    "an optimizer that remembers too little": _adam_state(lambda state: {"step": state["step"]}),
    "an optimizer of other shapes": _adam_state(lambda state: {**state, "exp_avg": torch.zeros(2)}),
    "an optimizer that is not finite": _adam_state(lambda state: {**state, "exp_avg_sq": state["exp_avg_sq"] * float("nan")}),
    "a learning rate of text": _group("lr", "fast"),
    "a learning rate that is not finite": _group("lr", float("nan")),
    "betas of text": _group("betas", "many"),
    "a schedule without its place": _with(lr_schedulers=[{}]),
    "a schedule with a method replaced": _with(lr_schedulers=[{"last_epoch": 1, "step": 2, "base_lrs": [1.0]}]),
    "random numbers of zeros": _with(random_state={"cpu": torch.zeros(5056, dtype=torch.uint8), "cuda": []}),
    "random numbers of three bytes": _with(random_state={"cpu": torch.zeros(3, dtype=torch.uint8), "cuda": []}),
    "random numbers of floats": _with(random_state={"cpu": torch.rand(5056), "cuda": []}),
    "an average of nothing": _average(lambda state: {}),
    "an average of text": _average(lambda state: {**state, "average": "text"}),
    "an average that is not finite": _average(
        lambda state: {**state, "average": {name: value * float("inf") for name, value in state["average"].items()}}
    ),
    "an average of one weight": _average(lambda state: {**state, "average": dict([next(iter(state["average"].items()))])}),
    "a place in the data below zero": _with(ClipDataModule={"position": -4}),
    "a place in the data of text": _with(ClipDataModule={"position": "first"}),
    "no place in the data": _with(ClipDataModule={}),
}
"""What may be wrong inside of a file that torch itself would load."""
