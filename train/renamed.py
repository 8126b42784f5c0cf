"""Class paths of earlier versions, which configurations that were written then still name."""

from typing import Any

RENAMED = {
    "framecast.data.module.ClipDataModule": "framecast.train.ClipDataModule",
}
"""What a class was called before, and what it is called now."""


def with_new_names(value: Any) -> Any:
    """Values of a configuration, with the present class path wherever one of an earlier version stands."""
    if isinstance(value, str):
        return RENAMED.get(value, value)
    if isinstance(value, dict):
        return {name: with_new_names(each) for name, each in value.items()}
    return [with_new_names(each) for each in value] if isinstance(value, list) else value


def with_new_arguments(arguments: list[str]) -> list[str]:
    """The same for the words of a command: `--data OLD` and `--data.class_path=OLD`."""
    return [_with_new_name(argument) for argument in arguments]


def _with_new_name(argument: str) -> str:
    option, equals, value = argument.rpartition("=")
    return f"{option}{equals}{RENAMED.get(value, value)}"
