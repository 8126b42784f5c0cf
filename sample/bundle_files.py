"""The files of a bundle, each compared with the manifest when it is read; knows neither torch nor networks."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..data.files import replacing_folder
from ..data.kinds import as_path
from ..data.reading import parse_json, read_regular, regular_size
from .bundle_folder import CARD, CONFIG, MANIFEST, MAX_PICTURE, NAMES, PICTURE, STARTS, TEXT, TOKENIZER
from .declared import Shapes, WeightsError, declared_shapes

if TYPE_CHECKING:
    from ..data.actions import ActionSpace

T = TypeVar("T")
FORMAT = 1
DEFAULT = Path(__file__).parent / "default"
"""The shipped model: the small model that comes with the package."""

WORLD = Path(__file__).parent / "world"
"""The shipped world: the one that `framecast play` opens; absent if this version has none."""

_LARGEST = {MANIFEST: 2**16, CONFIG: 2**22, CARD: 2**24, PICTURE: MAX_PICTURE, TEXT: 2**26, STARTS: 2**26}
"""Bytes of a file that is not weights, at most."""
_LONGEST_TITLE = 100


class BundleError(ValueError):
    """A bundle that cannot be used; the message names the folder, what is wrong and what to do."""


@dataclass(frozen=True)
class Entry:
    """What the manifest says of a file."""

    num_bytes: int
    sha256: str


@dataclass(frozen=True)
class BundleFiles:
    """The files that a bundle's manifest names.

    Attributes:
        path: The folder.
        entries: What the manifest says of each file, by name.
    """

    path: Path
    entries: dict[str, Entry]

    @property
    def hashes(self) -> dict[str, str]:
        """sha256 of every file, by name."""
        return {name: entry.sha256 for name, entry in self.entries.items()}

    @property
    def action_space(self) -> "ActionSpace | None":
        """What can be done in the world of the bundle; `None` if it is no world.

        Raises:
            BundleError: The config is damaged, or speaks of no action space.
        """
        return self._of_config(space_of)

    @property
    def caption(self) -> str | None:
        """What all videos of the training showed, as `VideoGenerator.caption`.

        Raises:
            BundleError: The config is damaged.
        """
        return self._of_config(only_caption)

    @property
    def title(self) -> str | None:
        """What the author of its training calls it, a line; `None` if nobody said it.

        Raises:
            BundleError: The config is damaged.
        """
        try:
            title = parse_config(self.read(CONFIG))["training"].get("title")
        except BundleError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{self.path / CONFIG} is damaged ({error}); export or copy it anew") from error
        return " ".join(title.split())[:_LONGEST_TITLE] or None if isinstance(title, str) else None

    def read(self, name: str) -> bytes:
        """A file of the size and the hash that the manifest says.

        Raises:
            BundleError: It is another, or cannot be read.
        """
        file, entry = self.path / name, self.entries[name]
        try:
            if regular_size(file) != entry.num_bytes:
                raise BundleError(f"{file} is damaged: its size is not the manifest's; copy or export the bundle anew")
            data = read_regular(file, _LARGEST.get(name, entry.num_bytes))
        except BundleError:
            raise
        except ValueError as error:
            raise BundleError(f"{error}; copy or export the bundle anew") from error
        if sha256(data) != entry.sha256:
            raise BundleError(f"{file} is damaged: its sha256 is not the manifest's; copy or export the bundle anew")
        return data

    def shapes(self, name: str) -> Shapes:
        """The name and shape of every weight in a file, by its header alone.

        Raises:
            BundleError: It is no file of weights.
        """
        try:
            return declared_shapes(self.path / name, self.entries[name].num_bytes)
        except WeightsError as error:
            raise BundleError(str(error)) from error

    def _of_config(self, read: Callable[[dict[str, Any]], T]) -> T:
        try:
            return read(parse_config(self.read(CONFIG)))
        except BundleError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{self.path / CONFIG} is damaged ({error}); export or copy it anew") from error


def open_bundle(folder: str | Path | None = None) -> BundleFiles:
    """The files of a bundle; `None` is the shipped model.

    Raises:
        BundleError: The folder is no bundle, or its manifest cannot be read.
    """
    path = DEFAULT if folder is None else as_path(folder, "a bundle")
    if not (path / CONFIG).is_file():
        raise BundleError(f"{path} is no bundle: it has no {CONFIG}; wanted a folder that a training exported")
    return BundleFiles(path, _read_manifest(path))


def parse_config(data: bytes) -> dict[str, Any]:
    """The config of this version.

    Raises:
        ValueError: It is no JSON, or of another format.
        LookupError: It says no format.
    """
    config: dict[str, Any] = parse_json(data)
    if config["format"] != FORMAT:
        raise ValueError(f"format {config['format']!r}; this version reads format {FORMAT}")
    return config


def space_of(config: dict[str, Any]) -> "ActionSpace | None":
    """The action space that a config names; bundles that are no worlds, and older ones, name none.

    Raises:
        ActionError: It is none.
    """
    values = config.get("action_space")
    if values is None:
        return None
    from ..data.actions import ActionSpace  # loads numpy, which a bundle without actions does not need

    return ActionSpace.from_json(values)


def caption_words(config: dict[str, Any]) -> Iterable[str] | None:
    """The words of the training captions; older bundles do not name them, and those of the sprite world are fixed."""
    text = config.get("text")
    if text is not None:
        return [str(word) for word in text["words"]]
    if config["training"].get("source") != "SpriteWorld":
        return None
    from ..data.sprites import CAPTION_WORDS  # loads torch

    return {*CAPTION_WORDS, ","}


def only_caption(config: Mapping[str, Any]) -> str | None:
    """What all videos of a training showed, see `VideoGenerator.caption`; older bundles say it by their starts, if at all."""
    training = config["training"]
    captions, data = training.get("captions"), training.get("data")
    if captions is None:
        captions = [start["prompt"] for start in config.get("starts") or ()]
    if captions and captions[0] and len(set(captions)) == 1:
        return str(captions[0])
    return "" if isinstance(data, Mapping) and data.get("captioned") == 0 else None


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Writes a bundle of these files and their manifest; the folder appears whole or not at all."""
    manifest = {name: {"sha256": sha256(data), "bytes": len(data)} for name, data in files.items()}
    with replacing_folder(folder) as temporary:
        for name, data in {**files, MANIFEST: json.dumps(manifest, indent=2).encode()}.items():
            (temporary / name).write_bytes(data)
    return folder


def sha256(data: bytes) -> str:
    """The hash that a manifest names, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _read_manifest(path: Path) -> dict[str, Entry]:
    """Size and hash of every file."""
    try:
        manifest = parse_json(read_regular(path / MANIFEST, _LARGEST[MANIFEST]))
        entries = {str(name): Entry(int(entry["bytes"]), str(entry["sha256"])) for name, entry in manifest.items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise BundleError(f"{path / MANIFEST} cannot be read ({error}); copy or export the bundle anew") from error
    if missing := sorted({CONFIG, TOKENIZER} - set(entries)):
        raise BundleError(f"{path / MANIFEST} does not name {missing[0]}; export or copy the bundle anew")
    if strange := [name for name in entries if name not in NAMES - {MANIFEST}]:
        raise BundleError(f"{path / MANIFEST} names {strange[0]!r}, which no bundle has; do not use this bundle")
    return entries
