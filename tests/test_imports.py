"""Doors go one way (law 7): who may import whom, which file has which vendor library, and what an import may cost."""

import ast
import configparser
import importlib
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent

OPEN = {"faces", "machine", "notices", "progress", "state", "stride"}  # files of framecast/ that every room may import
MAY_IMPORT = {  # the table of docs/architecture.md
    "data": set(),
    "tokenizer": set(),
    "model": set(),
    "sample": {"data", "tokenizer", "model"},
    "evaluate": {"data", "tokenizer", "model", "sample"},
    "train": {"data", "tokenizer", "model", "sample", "evaluate"},
    "serve": {"data", "sample"},
}
PARTS_OF_SERVE = {  # which of our rooms, and which other parts, each may import
    "protocol": {"sample"},
    "engine": {"sample", "protocol"},
    "server": {"data", "sample", "protocol", "engine"},
    "captions": {"data", "protocol", "server"},
    "client": {"data", "sample", "protocol"},
    "cluster": {"sample", "protocol", "engine", "server"},
    "notebook": {"data", "sample"},
}
VENDOR_ROOM = {
    "IPython": "serve",
    "anywidget": "serve",
    "av": "data.video",
    "cv2": "evaluate",
    "gymnasium": "data.worlds",
    "pyarrow": "data",
    "sentencepiece": "tokenizer",
    "transformers": "data.captioning",
    "vector_quantize_pytorch": "tokenizer",
    "vizdoom": "data.worlds",
}  # one file each, or one folder within a room
SHARED_BY_READERS = {"framecast.evaluate.figures"}  # what evaluate/second/ may import of evaluate/
LIGHTNING = {"lightning", "pytorch_lightning"}
# Folders of which others import the `__init__` alone.
FACES = tuple(
    f"framecast.data.{folder}"
    for folder in ("actions", "captioning", "lerobot", "recorded", "shards", "sprites", "video", "worlds")
)


def imported_modules(source: str, module: str) -> Iterator[str]:
    """The full name of all that `source`, the text of `module`, imports; also inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(module.split(".")[: -node.level]) if node.level else ""
            full = ".".join(part for part in (base, node.module) if part)
            yield from ([f"{full}.{alias.name}" for alias in node.names] if full in ("", "framecast") else [full])


def is_absolute_import_of_ours(source: str) -> bool:
    """Whether `source` imports `framecast` or a room without dots, which would make a second copy of each class."""
    names = [n for node in ast.walk(ast.parse(source)) for n in _absolute_names(node)]
    return any(name.split(".")[0] in {"framecast", *MAY_IMPORT} for name in names)


def _absolute_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []


def forbidden_imports(source: str, module: str) -> list[str]:
    """The imports of one file of a room that the table does not allow, in words."""
    room = module.split(".")[1]
    found = [f"{module} imports framecast or a room without dots"] if is_absolute_import_of_ours(source) else []
    for name in imported_modules(source, module):
        parts = name.split(".")
        target = parts[1] if parts[0] == "framecast" and len(parts) > 1 else None
        if parts[0] == "framecast" and target not in {room, *OPEN, *MAY_IMPORT[room]}:
            found.append(f"{module} imports {name}; {room} may import {sorted(MAY_IMPORT[room]) or 'nothing'} of ours")
    return found


def forbidden_parts(source: str, module: str) -> list[str]:
    """The imports of one file of `serve/` that go through a wall, in words."""
    part, found = module.split(".")[2], []
    for name in imported_modules(source, module):
        parts = [*name.split("."), "", ""]
        target = parts[2] if parts[1] == "serve" else parts[1]
        if parts[0] == "framecast" and target not in {part, *OPEN, *PARTS_OF_SERVE[part]}:
            found.append(f"{module} imports {name}; {part} may import {sorted(PARTS_OF_SERVE[part])}")
    return found


def imported_files(source: str, module: str, files: Collection[str]) -> set[str]:
    """Which of `files` the text of `module` imports: always, only for type checkers, or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join([*module.split(".")[: -node.level], *([node.module] if node.module else [])])
            for alias in node.names:  # a file of a folder, a name of a file, or a name of the folder itself
                names = (f"{base}.{alias.name}", base, f"{base}.__init__")
                found |= {next((name for name in names if name in files), module)}
    return found - {module}


def file_in_a_circle(files: Mapping[str, str]) -> str | None:
    """A file that imports itself by way of others, if there is one; `files` are texts by module name."""
    imports = {module: imported_files(source, module, files) for module, source in files.items()}
    while free := {module for module, others in imports.items() if not others & imports.keys()}:
        imports = {module: others for module, others in imports.items() if module not in free}
    return min(imports, default=None)


def shared_with_the_first_reader(source: str, module: str) -> list[str]:
    """What a file of the second reader imports of the room around it: two judges are apart only if they share nothing."""
    files = [name for name in room_files("evaluate") if not name.startswith("framecast.evaluate.second.")]
    return sorted(imported_files(source, module, files) - SHARED_BY_READERS)


def imports_any(source: str, module: str, packages: set[str]) -> bool:
    return any(name.split(".")[0] in packages for name in imported_modules(source, module))


def room_files(room: str) -> dict[str, str]:
    """Module name -> source of every file of a room; the stub of a face, which names what it loads, is a part of the face."""
    files = sorted((REPO / room).rglob("*.py"))
    return {module_name(path): path.read_text(encoding="utf-8") + stub_of(path) for path in files}


def stub_of(path: Path) -> str:
    stub = path.with_suffix(".pyi")
    return stub.read_text(encoding="utf-8") if stub.is_file() else ""


def module_name(path: Path) -> str:
    """A package is named with its `__init__`, so that one dot always takes one name off."""
    parts = path.relative_to(REPO).with_suffix("").parts
    return ".".join(parts if parts[0] == "framecast" else ["framecast", *parts])


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    return set(run.stdout.split())


def test_table_names_every_room():
    config = configparser.ConfigParser()
    config.read(REPO / "setup.cfg", encoding="utf-8")
    packages = config["options"]["packages"].split()
    own = {"framecast", *(f"framecast.{path.parent.name}" for path in (REPO / "framecast").glob("*/__init__.py"))}
    assert own <= set(packages)
    assert {name.split(".")[1] for name in set(packages) - own} == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_room_imports_only_what_it_may(room):
    files = room_files(room)
    assert files, f"{room}/ has no Python file"
    assert [problem for module, source in files.items() for problem in forbidden_imports(source, module)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("framecast.data.clips", "from ..tokenizer import VideoTokenizer"),
        ("framecast.data.__init__", "from ..model.network import VideoLM"),
        ("framecast.model.cache", "from .. import tokenizer"),
        ("framecast.sample.bundle", "from .. import __version__"),
        ("framecast.sample.bundle", "from ..train import ema"),
        ("framecast.sample.bundle", "def load():\n    from ..evaluate import psnr"),
        ("framecast.tokenizer.text", "from ..cli import main"),
        ("framecast.train.deep.lit", "from ...serve import app"),
        ("framecast.serve.notebook.player", "from ...tokenizer import VideoTokenizer"),
        ("framecast.sample.bundle", "from framecast.model import VideoLM"),
        ("framecast.sample.bundle", "import framecast.model"),
        ("framecast.sample.bundle", "import framecast"),
        ("framecast.sample.bundle", "import model"),
        ("framecast.sample.bundle", "from data.clips import Caption"),
    ],
)
def test_control_bad_edge_is_flagged(module, source):
    assert forbidden_imports(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("framecast.data.clips", "from ..state import State\nfrom .. import state\nfrom .shapes import circle"),
        ("framecast.data.__init__", "from . import shapes\nfrom .clips import Caption"),
        ("framecast.sample.bundle", "from ..model import VideoLM\nfrom ..data.video import write_video\nimport torch"),
        ("framecast.train.deep.lit", "from ...evaluate import psnr\nfrom ..losses import l1"),
    ],
)
def test_control_good_edge_is_not_flagged(module, source):
    assert forbidden_imports(source, module) == []


def test_no_part_of_serve_goes_through_a_wall():
    files = {module: source for module, source in room_files("serve").items() if module != "framecast.serve.__init__"}
    assert {module.split(".")[2] for module in files} == set(PARTS_OF_SERVE)
    assert [problem for module, source in files.items() for problem in forbidden_parts(source, module)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("framecast.serve.protocol.messages", "from ..server.config import ServeConfig"),
        ("framecast.serve.client.client", "from ..server.guard import STATIC"),
        ("framecast.serve.server.app", "def f():\n    from ..cluster.keeper import Keeper"),
        ("framecast.serve.notebook.player", "from ..protocol.errors import ServeError"),
        ("framecast.serve.cluster.ray", "from ...data import write_video"),
    ],
)
def test_control_a_broken_wall_is_seen(module, source):
    assert forbidden_parts(source, module)
    assert not forbidden_parts("from .others import x\nfrom ...sample import Stream\nimport torch", module)


@pytest.mark.parametrize("room", ["framecast", *MAY_IMPORT])
def test_no_files_import_each_other_in_a_circle(room):
    assert file_in_a_circle(room_files(room)) is None


@pytest.mark.parametrize(
    "hidden", ["from .a import A", "if TYPE_CHECKING:\n    from . import a", "def f():\n    from .a import A"]
)
def test_control_a_circle_is_seen(hidden):
    files = {"framecast.x.a": "from .b import B", "framecast.x.b": "from .c import C", "framecast.x.c": hidden}
    assert file_in_a_circle(files) == "framecast.x.a"
    assert file_in_a_circle(files | {"framecast.x.c": "import torch"}) is None


def test_the_second_reader_has_no_part_of_the_first():
    files = {module: source for module, source in room_files("evaluate").items() if ".second." in module}
    assert len(files) > 5
    assert {module: found for module in files if (found := shared_with_the_first_reader(files[module], module))} == {}


@pytest.mark.parametrize("source", ["from ..motion import Track", "from .. import reading", "from ..study import Study"])
def test_control_a_part_of_the_first_reader_is_seen(source):
    assert shared_with_the_first_reader(source, "framecast.evaluate.second.paths")
    assert not shared_with_the_first_reader("from ..figures import Figure", "framecast.evaluate.second.paths")


def imports_past_the_face(source: str, module: str, face: str) -> list[str]:
    """The files of the folder `face` that a file outside of it imports from."""
    inside = module.startswith(f"{face}.")
    return [] if inside else [name for name in imported_modules(source, module) if name.startswith(f"{face}.")]


@pytest.mark.parametrize("face", FACES)
def test_folder_is_entered_by_its_face(face):
    files = {name: source for room in ["framecast", *MAY_IMPORT] for name, source in room_files(room).items()}
    assert f"{face}.__init__" in files
    assert [problem for name, source in files.items() for problem in imports_past_the_face(source, name, face)] == []


def test_control_an_import_past_the_face_is_seen():
    face = "framecast.data.sprites"
    for source in ("from ..data.sprites.scenes import Scene", "def f():\n    import framecast.data.sprites.scenes"):
        assert imports_past_the_face(source, "framecast.evaluate.study", face)
    assert not imports_past_the_face("from ..data.sprites import Scene", "framecast.evaluate.study", face)
    assert not imports_past_the_face("from .scenes import Scene", f"{face}.world", face)


@pytest.mark.parametrize("name", sorted(OPEN))
def test_what_is_open_to_all_imports_nothing_else_of_ours(name):
    source = (REPO / f"framecast/{name}.py").read_text(encoding="utf-8")
    assert ours_beyond_the_open(source, f"framecast.{name}") == []
    assert ours_beyond_the_open("from .sample import Clip", "framecast.state")  # control


def ours_beyond_the_open(source: str, module: str) -> list[str]:
    ours = [found for found in imported_modules(source, module) if found.startswith("framecast.")]
    return [found for found in ours if found.split(".")[1] not in OPEN]


@pytest.mark.parametrize("vendor", VENDOR_ROOM)
def test_vendor_library_is_imported_in_one_file(vendor):
    rooms = ["framecast", *MAY_IMPORT]
    files = [name for room in rooms for name, source in room_files(room).items() if imports_any(source, name, {vendor})]
    home = f"framecast.{VENDOR_ROOM[vendor]}."
    assert files and all(name.startswith(home) for name in files)
    one_place = len(files) == 1 or home.count(".") == 3
    assert one_place, f"{vendor} is imported in {files}; wanted one file or folder, so that it can be replaced there"


@pytest.mark.parametrize("vendor", VENDOR_ROOM)
def test_control_vendor_import_is_seen(vendor):
    for source in (f"import {vendor}", f"from {vendor}.deep import x", f"def f():\n    import {vendor} as v"):
        assert imports_any(source, "framecast.model.network", {vendor})
    assert not imports_any(f"import {vendor}_else\nfrom . import {vendor}", "framecast.model.network", {vendor})


def crossings(sources: dict[str, str], writers: set[str]) -> list[str]:
    """The imports of a folder's files, by name, that go from its readers to its writers, or the other way."""
    found = []
    for name, source in sources.items():
        own = {module.split(".")[-1] for module in imported_modules(source, f"framecast.data.video.{name}")} & set(sources)
        found += [f"{name} imports {other}" for other in own if (name in writers) != (other in writers)]
    return found


def test_reading_and_writing_of_video_are_apart():
    sources = {path.stem: path.read_text(encoding="utf-8") for path in (REPO / "data" / "video").glob("[!_]*.py")}
    writers = {"encoding", "y4m"}
    assert writers < set(sources)
    assert crossings(sources, writers) == []
    control = {**sources, "reader": "from .encoding import write_video"}
    assert crossings(control, writers) == ["reader imports encoding"]


FACES_OF_ROOMS = ["framecast", *MAY_IMPORT]


@pytest.mark.parametrize("room", FACES_OF_ROOMS)
def test_stub_of_a_face_lists_what_it_loads(room):
    tree = ast.parse((REPO / room / "__init__.pyi").read_text(encoding="utf-8"))
    loaded = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    listed = next(ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))
    assert sorted(loaded) == sorted(set(listed) - {"__version__"})


@pytest.mark.parametrize("room", FACES_OF_ROOMS)
def test_face_has_every_name_that_it_lists(room):
    face = importlib.import_module("framecast" if room == "framecast" else f"framecast.{room}")
    assert dir(face) == sorted(face.__all__)
    assert all(getattr(face, name) is not None for name in face.__all__)


def test_lightning_is_imported_only_by_training():
    files = {name: source for room in MAY_IMPORT for name, source in room_files(room).items()}
    found = {name for name, source in files.items() if imports_any(source, name, LIGHTNING)}
    assert found and {name.split(".")[1] for name in found} == {"train"}


@pytest.mark.parametrize(
    ("statement", "banned"),
    [
        ("import framecast", {*LIGHTNING, "torch", "numpy"}),
        *((f"import framecast.{room}", {*LIGHTNING, "torch", "numpy", "av"}) for room in MAY_IMPORT),
        ("from framecast import *", {*LIGHTNING, "IPython", "anywidget"}),
        ("from framecast.serve import Player", {*LIGHTNING, "IPython", "anywidget"}),
    ],
)
def test_import_is_light(statement, banned):
    assert modules_after(statement) & banned == set()


def test_control_a_heavy_import_is_seen():
    assert "numpy" in modules_after("import framecast, numpy")


def test_figures_depend_on_all_files_that_are_open_to_all():
    from framecast.evaluate import card

    assert set(card._OPEN) == OPEN - {"faces", "progress"}  # neither changes a figure
