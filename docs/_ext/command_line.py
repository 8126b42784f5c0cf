"""`{command-line}`: every command of `framecast` with its options, read from the parser itself, so that no page goes stale."""

import argparse
import importlib
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from framecast.cli import COMMANDS, Elsewhere, build_parser


class CommandLine(SphinxDirective):
    """A section for each command: what it does, how it is called, and what each option means."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(__file__)
        return [self._section(name, parser, text) for name, parser, text in commands(build_parser())]

    def _section(self, name: str, parser: argparse.ArgumentParser, text: str) -> nodes.section:
        section = nodes.section(ids=[f"framecast-{name}"], names=[f"framecast {name}"])
        section += nodes.title("", "", nodes.literal("", f"framecast {name}"))
        section += sentence(text)
        options = list(documented(parser))
        if options:
            section += nodes.literal_block("", usage(parser), language="text")
            section += option_list(options)
        self.state.document.note_explicit_target(section)
        return section


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Each command of a parser: its name, its own parser, and its line of help."""
    (choices,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    helps = {action.dest: action.help or "" for action in choices._choices_actions}
    for name, own in choices.choices.items():
        yield name, _parser_elsewhere(name) or own, helps[name]


def _parser_elsewhere(name: str) -> argparse.ArgumentParser | None:
    """The parser of a command that has one of its own; None for others, and where another library makes the parser."""
    command = COMMANDS[name]
    if not isinstance(command, Elsewhere) or not command.module.startswith(".commands."):
        return None
    parser: argparse.ArgumentParser = importlib.import_module(command.module, "framecast").build_parser()
    return parser


def documented(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a command that a person can give, without `--help`."""
    for action in parser._actions:
        if (
            not isinstance(action, argparse._HelpAction)
            and action.nargs != argparse.REMAINDER
            and action.help != argparse.SUPPRESS
        ):
            yield action


def usage(parser: argparse.ArgumentParser) -> str:
    """How a command is called, in lines that fit the page."""
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=80)
    return parser.format_usage().removeprefix("usage: ").strip()


def sentence(text: str) -> nodes.paragraph:
    """A line of help as a sentence; what is in backquotes is code."""
    found = nodes.paragraph()
    for number, piece in enumerate(f"{text[:1].upper()}{text[1:]}.".split("`")):
        found += nodes.literal("", piece) if number % 2 else nodes.Text(piece)
    return found


def option_list(actions: list[argparse.Action]) -> nodes.definition_list:
    """The names of each argument above what it means."""
    formatter = argparse.HelpFormatter("framecast", width=1000)
    found = nodes.definition_list(classes=["options"])
    for action in actions:
        names = formatter._format_action_invocation(action)
        meaning = formatter._expand_help(action) if action.help else ""
        found += nodes.definition_list_item(
            "",
            nodes.term("", "", nodes.literal("", names)),
            nodes.definition("", sentence(meaning)),
        )
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
