"""Sphinx configuration of the site: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from framecast import __version__

project = "Framecast"
author = copyright = "The Framecast authors"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "command_line", "docstrings"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 3

default_role = "code-or-link"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False  # Lightning's would speak of its own pages
napoleon_use_ivar = True
napoleon_use_rtype = False
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = f"Framecast {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
