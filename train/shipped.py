"""The configurations that come with the package, by name: `--config folder_lm`."""

from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "configs"
_OPTIONS = ("--config", "-c")


def shipped_configs() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def with_shipped_configs(args: Sequence[str]) -> list[str]:
    """The arguments of a command with the name of a shipped configuration replaced by its path, if no file has that name.

    The path that it has in a clone, `train/configs/folder_lm.yaml`, is a name as well.
    """
    found = list(args)
    for place, word in enumerate(found):
        option, equals, value = word.partition("=")
        if equals and option in _OPTIONS:
            found[place] = f"{option}={_path_of(value)}"
        elif place and found[place - 1] in _OPTIONS:
            found[place] = _path_of(word)
    return found


def _path_of(name: str) -> str:
    shipped = FOLDER / f"{Path(name).stem}.yaml"
    is_name = name == shipped.stem or Path(name).parts[-3:] == ("train", "configs", shipped.name)
    return str(shipped) if is_name and shipped.is_file() and not Path(name).is_file() else name
