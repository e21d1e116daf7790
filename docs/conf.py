"""How the documentation is built: `make docs`."""

project = "amazon-m3-o2c"
author = "the contributors"
copyright = "the contributors"  # noqa: A001 - the name Sphinx reads

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["examples"]
nitpicky = True
myst_heading_anchors = 4

html_theme = "furo"
html_title = "amazon-m3-o2c"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"light_css_variables": {"content-padding": "2em"}}
