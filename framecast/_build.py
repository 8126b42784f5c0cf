"""The build backend: setuptools, without its warning of an editable install.

The warning is of folders that have the package's name and hide it. Here that folder is the package.
"""

import warnings

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403


def build_editable(wheel_directory: str, config_settings: object = None, metadata_directory: str | None = None) -> str:
    """An editable wheel, as PEP 660 asks for it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Editable installation")
        return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
