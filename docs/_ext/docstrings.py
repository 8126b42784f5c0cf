"""How the docstrings of this project become pages: what is in single backquotes, colons of attributes, long signatures."""

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole

_NAME = re.compile(r"[A-Za-z_][\w.]*(\(\))?")
_COLON = "\uf8ff"  # of the private use area, so that no docstring has it
_LINK = PyXRefRole()


def code(
    name: str, rawtext: str, text: str, lineno: int, inliner: Inliner, options: Any = None, content: Any = ()
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """The role of what stands in single backquotes: a link if it is a documented name, and plain code if it is not."""
    if _NAME.fullmatch(text):
        return _LINK("py:obj", rawtext, text, lineno, inliner, {}, [])
    return [nodes.literal(rawtext, text)], []


def hide_colons(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Hides the colons of an attribute's docstring: napoleon would take what stands before the first one for a type."""
    if what in ("attribute", "data", "property"):
        lines[:] = [line if line.strip() == "Raises:" else line.replace(":", _COLON, 1) for line in lines[:1]] + lines[1:]


def show_colons(app: Sphinx, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """The inverse of `hide_colons`."""
    lines[:] = [line.replace(_COLON, ":") for line in lines]


def shorten(
    app: Sphinx, what: str, name: str, obj: object, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Leaves out of a signature what Sphinx cannot read: checks that go with a type, and defaults that are made anew."""
    if signature is not None:
        signature = re.sub(r"Annotated\[(\w+), [^\[\]]*?<[^<>]*(?:<[^<>]*>)?[^<>]*>\]", r"\1", signature)
        signature = signature.replace("<factory>", "...")
    return signature, returned


def skip_hooks(app: Sphinx, what: str, name: str, obj: object, skip: bool, options: Any) -> bool | None:
    """Leaves out what Lightning calls and nobody else."""
    return True if name.startswith(("on_", "configure_")) or name == "setup" else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("code-or-link", code)
    app.connect("autodoc-process-docstring", hide_colons, priority=400)  # napoleon's is 500
    app.connect("autodoc-process-docstring", show_colons, priority=600)
    app.connect("autodoc-process-signature", shorten)
    app.connect("autodoc-skip-member", skip_hooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
