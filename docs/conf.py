"""Sphinx configuration of the site: `make docs`."""

from framecast import __version__

project = "Framecast"
author = "The Framecast authors"
release = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Framecast {release}"
