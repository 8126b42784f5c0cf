"""Errors of `framecast train fit`: what was got, what was wanted and what to do, in place of all that jsonargparse has tried."""

import difflib
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import yaml

from .allowed import explain_refusal
from .config_text import load_bounded
from .known_options import class_options, config_files, meant_options
from .shipped import shipped_configs

_LONGEST = 300
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "list": "a list, such as [1, 2]",
    "tuple": "a list, such as [1, 2]",
    "dict": "names with values",
}
_ALONE = ("ckpt_path", "config", "seed_everything", "print_config")
"""Options without a dot that are no group of options."""
_COMMANDS = ("fit", "validate", "test", "predict")
_CLASSES = {
    "model": ("framecast.train.LitVideoTokenizer", "framecast.train.LitVideoLM"),
    "data": ("framecast.train.ClipDataModule", "framecast.train.TokenDataModule"),
    "source": ("framecast.data.VideoFolder", "framecast.data.SpriteWorld", "framecast.data.RandomCrops"),
}


def explain(message: str, words: Sequence[str], options: Collection[str], command: str) -> str:
    """One error in one line.

    Args:
        message: What jsonargparse says.
        words: The arguments of the command.
        options: The options of its parser, such as `--trainer.max_steps`.
        command: What has a `--help`.
    """
    plain = " ".join(message.split())
    names = [option.removeprefix("--") for option in options if option.startswith("--") and not option.endswith(".help")]
    known = [name for name in names if "." in name or name in _ALONE]
    attempts: tuple[Callable[[], str | None], ...] = (
        lambda: explain_refusal(message),
        lambda: _command(plain),
        lambda: _yaml(plain, words),
        lambda: _file(plain),
        lambda: _missing(plain),
        lambda: _option(plain, known, words),
        lambda: _key(plain, known, words),
        lambda: _class_path(plain),
        lambda: _value(plain),
    )
    found = next((text for attempt in attempts if (text := attempt())), None)
    if found is None:
        cut = plain.split(" Given value type:")[0][:_LONGEST]
        return f"{cut}; see `{command} --help`"
    return found


def _command(text: str) -> str | None:
    found = re.search(r"argument subcommand: invalid choice: '([^']*)'", text)
    if found:
        near = difflib.get_close_matches(found[1], _COMMANDS, 1)
        advice = f"did you mean `framecast train {near[0]}`?" if near else "such as `framecast train fit --config tiny_tokenizer`"
        return f"got `framecast train {found[1]}`; wanted one of {', '.join(_COMMANDS)}, or a folder of videos; {advice}"
    if 'expected "subcommand"' in text:
        return f"got no command; wanted one of {', '.join(_COMMANDS)}; such as `framecast train fit --config tiny_tokenizer`"
    return None


def _yaml(text: str, words: Sequence[str]) -> str | None:
    if not text.startswith("Problems parsing config"):
        return None
    for file in config_files(words):
        try:
            load_bounded(Path(file).read_text(encoding="utf-8"))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            return (
                f"got {file}, which is no YAML ({error.problem}{place}); wanted `name: value` lines; check brackets and indents"
            )
        except yaml.YAMLError as error:
            return f"got {file}, which cannot be used as YAML ({' '.join(str(error).split())[:_LONGEST]})"
        except (OSError, ValueError):
            continue
    return None


def _file(text: str) -> str | None:
    found = re.search(r"File does not exist: '?([^';]+)'?", text)
    if not found:
        return None
    near = difflib.get_close_matches(Path(found[1]).stem, shipped_configs(), 1, cutoff=0.5)
    advice = f"did you mean `--config {near[0]}`?" if near else "check its path"
    shipped = ", ".join(shipped_configs())
    return f"got --config, and there is no file {found[1]}; wanted a YAML file, or one that is shipped: {shipped}; {advice}"


def _missing(text: str) -> str | None:
    found = re.search(r"the following arguments are required: (.+)", text)
    if found:
        names = found[1].replace("fit.", "--")
        return f"got no {names}; wanted a configuration that has them; such as `framecast train fit --config tiny_tokenizer`"
    found = re.search(r"argument (\S+): expected (\S+ argument)", text)
    return f"got {found[1]} without a value; wanted one after it; such as `{found[1]} VALUE`" if found else None


def _option(text: str, known: list[str], words: Sequence[str]) -> str | None:
    """An option that there is not, or a word too many."""
    found = re.search(r"(?:unrecognized arguments|[Uu]nrecognized|ambiguous option): (\S+)", text)
    if not found:
        return None
    word = found[1].partition("=")[0]
    if not word.startswith("-"):
        return f"got the word {word!r} too many; wanted options only; put a value with spaces in quotes"
    return _wanted(word, word.lstrip("-"), known, words)


def _key(text: str, known: list[str], words: Sequence[str]) -> str | None:
    """A setting in the wrong place, or one that there is not."""
    found = re.search(r"(?:Option|does not accept option) '([^']+)'(?: is not accepted)?", text)
    if not found:
        return None
    path = [part for key in re.findall(r'Parser key "([^"]+)"', text[: found.start()]) for part in key.split(".")]
    group = re.search(r"Group '([^']+)' does not accept", text)
    path += group[1].split(".") if group else []
    option = ".".join([*(part for part in path if part != "init_args"), found[1]])
    typed = any(word.lstrip("-").startswith((option, path[0] if path else option)) for word in words if word.startswith("--"))
    what = f"--{option}" if typed else f"the setting {option}"
    return _wanted(what, option, known, words, typed)


def _wanted(what: str, option: str, known: list[str], words: Sequence[str], typed: bool = True) -> str:
    dashes = "--" if typed else ""
    meant = meant_options(option, [*known, *class_options(words)])
    if not meant:
        return f"got {what}, and there is no such setting; see `framecast train fit --help`"
    wanted = " or ".join(f"{dashes}{name}" for name in meant)
    return f"got {what}; wanted {wanted}"


def _class_path(text: str) -> str | None:
    found = re.search(r"Problem with given class_path '([^']+)': (.+?)(?: - |; see|$)", text)
    other = re.search(r"does not correspond to a subclass of (\w+)", text)
    if other:
        given = (re.search(r"Given value: (\S+?)(?:;|$)", text) or ["", "a class"])[1]
        names = [name for key, classes in _CLASSES.items() if f'"{key}"' in text for name in classes]
        advice = f"wanted one such as {names[0]}" if names else "wanted one; see `framecast train fit --help`"
        return f"got {given}, which does not correspond to a subclass of {other[1]}; {advice}"
    plain = re.search(r"Expected a dot import path string: (\S+?)(?: |;|$)", text)
    if not found and not plain:
        return None
    path = found[1] if found else plain[1]  # type: ignore[index]
    key = (re.findall(r'Parser key "([^"]+)"', text) or [""])[-1]
    classes = _CLASSES.get(key.rpartition(".")[2], tuple(name for names in _CLASSES.values() for name in names))
    near = difflib.get_close_matches(path.rpartition(".")[2], [name.rpartition(".")[2] for name in classes], 1)
    first = [name for name in classes if near and name.endswith(near[0])] or list(classes)
    where = f" for {key}" if key else ""
    return f"got the class {path}{where}, and there is no such class; wanted a class path such as {' or '.join(first[:2])}"


def _value(text: str) -> str | None:
    """A value of the wrong kind."""
    found = re.search(r"Expected a (<class '([^']+)'>|typing\.Literal\[(.+?)\])\.?(?: Got value: (.+?))?(?:; see| - |$)", text)
    if not found:
        return None
    keys = [key for key in re.findall(r'Parser key "([^"]+)"', text[: found.start()])]
    got = found[4] or (re.search(r"Given value: (.+?)(?:; see|$)", text) or ["", "something else"])[1]
    wanted = f"one of {found[3].replace(chr(39), '')}" if found[3] else _KINDS.get(found[2], f"a {found[2].rpartition('.')[2]}")
    return f"got {got} for {'.'.join(keys) or 'a setting'}; wanted {wanted}"
