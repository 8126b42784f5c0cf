"""The build backend: setuptools, whose editable installs are found first and warn of nothing.

An editable install of setuptools is looked up after all folders of the path. A clone is a folder of the package's name: in the
folder above the clone, `import framecast` would find the clone itself, which is no package. Setuptools warns of that.
"""

import base64
import hashlib
import warnings
import zipfile
from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403

_FIRST = "zz_framecast_first.pth"
"""Python reads such files in the order of their names, so the finder of setuptools is in its place by then."""
_LINE = (
    "import sys; "
    "sys.meta_path.sort(key=lambda finder: 'editable' not in getattr(finder, '__module__', '') "
    "or 'framecast' not in getattr(finder, '__module__', ''))\n"
)
"""The sort is stable: other finders keep their order."""


def build_editable(wheel_directory: str, config_settings: object = None, metadata_directory: str | None = None) -> str:
    """An editable wheel, as PEP 660 asks for it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Editable installation")
        name: str = build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
    _add(Path(wheel_directory, name), _FIRST, _LINE.encode())
    return name


def _add(wheel: Path, name: str, data: bytes) -> None:
    """Adds a file to a wheel, and to the wheel's record."""
    with zipfile.ZipFile(wheel) as old:
        files = {item.filename: old.read(item) for item in old.infolist()}
    record = next(file for file in files if file.endswith(".dist-info/RECORD"))
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    files = {name: data, **files, record: f"{name},sha256={digest},{len(data)}\n".encode() + files[record]}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for file, content in files.items():
            new.writestr(file, content)
