"""Sphinx' settings for the course as pages: everything is here, nothing is fetched when a page is read."""

import html
import os
import re

project = "Who was in the training set?"
author = "The mialab authors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nb_execution_mode = "off"  # the committed notebooks hold their outputs
nb_ipywidgets_js = {}  # a panel needs a kernel; its script would come from elsewhere
nb_merge_streams = True
highlight_language = "none"  # what is code says of which language
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
napoleon_preprocess_types = False
# What napoleon takes for a type, as the `n` of a shape (n,), is no name to link to.
suppress_warnings = ["mystnb.mime_priority", "ref.python"]
autodoc_default_options = {"exclude-members": "set_score_request, set_fit_request"}  # scikit-learn's own
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say them in words
autoclass_content = "class"
html_theme = "sphinx_book_theme"
html_title = "Who was in the training set?"
html_theme_options = {
    "show_navbar_depth": 1,
    "use_download_button": False,  # the sources are the repository's
    "use_fullscreen_button": False,
    "navigation_with_keys": False,
    "navbar_persistent": [],  # one search is enough: that of the sidebar
}
html_css_files = ["course.css"]
html_js_files = ["play.js"]
# Where the site will stand, as https://example.org/mia/: who shows a link's picture wants its whole address.
html_baseurl = os.environ.get("MIALAB_SITE_URL", "")
html_static_path = ["_static"]
html_show_sourcelink = False
html_copy_source = False
exclude_patterns = ["_build"]


def setup(app):
    """Let the docstrings be read as they are written: plain text with `names` in back-ticks, NumPy's sections."""
    app.connect("autodoc-process-docstring", _as_rest, priority=400)  # before napoleon
    app.connect("html-page-context", _for_links)
    app.connect("autodoc-skip-member", lambda app, what, name, member, skip, options: skip or _is_bare_field(member))


def _for_links(app, pagename, templatename, context, doctree):
    """What is shown beside a link to a page: its title, a sentence, a picture; the address only where it is known."""
    picture = html_baseurl + "_static/share.png" if html_baseurl else context["pathto"]("_static/share.png", 1)
    about = {
        "og:type": "website",
        "og:site_name": project,
        "og:title": re.sub(r"<[^>]*>", "", context.get("title", project)),
        "og:description": "Play against an attack, then write it: a course on membership inference attacks.",
        "og:image": picture,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "Twenty flowers. Some trained the model; of the others you may ask.",
        "twitter:card": "summary_large_image",
    }
    lines = [f'<meta property="{name}" content="{html.escape(html.unescape(words))}">' for name, words in about.items()]
    context["metatags"] = context.get("metatags", "") + "\n".join(lines)


def _is_bare_field(member):
    """True for a field of a named tuple, of which there is nothing to say but its number."""
    return str(getattr(member, "__doc__", "")).startswith("Alias for field number")


def _as_rest(app, what, name, obj, options, lines):
    text = []
    in_parameters = False
    for i, line in enumerate(lines):
        following = lines[i + 1] if i + 1 < len(lines) else ""
        heads = set(following.strip()) == {"-"}
        if heads:
            in_parameters = line.strip() in ("Parameters", "Attributes", "Raises", "Returns")
        elif in_parameters and line and not line[0].isspace() and not lines[i - 1].strip() and " : " not in line:
            text += ["Notes", "-----"]  # words after the parameters are about the whole
            in_parameters = False
        about = in_parameters and re.match(r"(\w+) : (.*)", line)  # words, where napoleon would read a type
        text += [about[1], "    " + about[2]] if about else [line]
    joined = re.sub(r"(?<!`)`([^`]+)`(?!`)", lambda found: "``" + " ".join(found[1].split()) + "``", "\n".join(text))
    parts = re.split(r"(``.+?``)", joined)
    lines[:] = "".join(part if i % 2 else re.sub(r"(\w)_(?!\w)", r"\1\\_", part) for i, part in enumerate(parts)).split(
        "\n"
    )
