"""Build the course as static pages: `python run.py site`. Nothing is fetched, neither now nor when a page is read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from itertools import repeat
from pathlib import Path

import play

import mialab.widgets
from mialab.glossary import TERMS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NOTES = sorted((ROOT / "mialab" / "instructor" / "notes").glob("*.md"))
# The library, in the order in which its modules know each other.
MODULES = ("data targets nets blackbox search shadows attacks metrics trials exposure privacy defences audit plots "
           "widgets glossary instructor").split()  # fmt: skip


def main(out: Path, few: bool) -> int:
    """Write the pages' sources into `out`/source and the pages into `out`/html; Sphinx' exit code, warnings count.

    With `few` the panels have few stops, for the tests.
    """
    source = out / "source"
    if out.exists() and any(out.iterdir()) and not (source / "conf.py").exists():
        print(f"{out} holds files that are not of an earlier build: choose an empty or a new folder.", file=sys.stderr)
        return 2
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(ROOT / "notebooks", source / "notebooks")
    shutil.copy(HERE / "conf.py", source / "conf.py")
    found = panels(source, few)
    write(source / "index.md", with_panels(index(), found))
    write(source / "play.md", with_panels((HERE / "play.md").read_text("utf-8"), found))
    write(source / "begin.md", begin())
    card(source / "_static" / "share.png")
    write(source / "instructors.md", instructors())
    for path in NOTES:
        write(source / "instructors" / path.name, notes(path))
    write(source / "data.md", within_site((ROOT / "data" / "README.md").read_text("utf-8")))
    write(source / "glossary.md", glossary())
    write(source / "library.md", library())
    write(source / "library" / "recipes.md", (HERE / "recipes.md").read_text("utf-8"))
    for module in MODULES:
        write(source / "library" / f"{module}.rst", api(module))
    words = ["-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-j", "2", str(source), str(out / "html")]
    return subprocess.run([sys.executable, *words], check=False).returncode


def panels(source: Path, few: bool) -> dict[str, str]:
    """Work out the notebooks' panels, put each in its page's source, and return each panel's HTML by its name."""
    found = play.panels(ROOT / "notebooks")
    os.environ["MIALAB_WORKBOOK"] = str(source.parent / "nobody")  # whose answers would run
    longest_first = sorted(found, key=lambda name: name not in ("defence_panel", "ask_the_model"))
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(play.work_out, map(found.get, longest_first), repeat(source / "_static" / "play"), repeat(few)))
    here = Path(mialab.widgets.__file__).parent
    script = (here / "panel.js").read_text("utf-8").replace("export default { render };\n", "")
    write(source / "_static" / "play.js", f"(() => {{\n{script}\n{(HERE / 'play.js').read_text('utf-8')}}})();\n")
    style = (here / "panel.css").read_text("utf-8")
    write(source / "_static" / "course.css", style + (HERE / "course.css").read_text("utf-8"))
    return {name: play.embed(source / "notebooks" / path.name) for name, path in found.items()}


def with_panels(page: str, found: dict[str, str]) -> str:
    """A page's words with a panel in the place of each line `PANEL name`."""
    return re.sub(r"^PANEL (\w+)$", lambda line: found[line[1]], page, flags=re.MULTILINE)


def index() -> str:
    """The first page: what it says stands in start.md, and its route and map in the README."""
    notebooks = "\n".join(f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb")))
    words = (HERE / "start.md").read_text("utf-8")
    for name in ("Three hours", "The map"):
        words = words.replace(f"README {name}\n", readme(name))
    return words.replace("NOTEBOOKS\n", f"{notebooks}\n")


def begin() -> str:
    """How to get the course and how its exercises work, as the README says it."""
    words = "These pages are for reading and playing. To run the cells and answer the exercises:"
    how = "How the exercises work"
    return f"# Get it running\n\n{words}\n\n{readme('Begin')}## {how}\n\n{readme(how)}"


def readme(heading: str) -> str:
    """One part of the README, without its heading."""
    words = (ROOT / "README.md").read_text("utf-8")
    return within_site(re.search(rf"^## {heading}\n\n(.*?)(?=^## |\Z)", words, re.DOTALL | re.MULTILINE)[1])


def glossary() -> str:
    """Every term with its meaning and a link to the notebook that defines it, in the order of the alphabet."""
    titles = {path.name[:2]: path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    entries = [
        f"({anchor(term.name)})=\n**{term.name}**\n: {term.means} "
        f"([notebook {term.notebook}](notebooks/{titles[term.notebook]}))\n"
        for term in sorted(TERMS, key=lambda term: term.name.lower())
    ]
    words = (
        "The words of the course, each as the notebook says it that defines it. In later notebooks a word with dots "
    )
    return f"# Glossary\n\n{words}below it shows its meaning when the pointer rests on it.\n\n" + "\n".join(entries)


def anchor(name: str) -> str:
    """A term as the name of its place on the page."""
    return "term-" + re.sub(r"\W+", "-", name.lower())


def instructors() -> str:
    """INSTRUCTORS.md, which says on the site that the notes there leave out the answers."""
    page = (ROOT / "INSTRUCTORS.md").read_text("utf-8")
    for says, here in (
        ("with the answers, the written ones included. All of it is public:",
         "without the answers; the repository's have them too. All of it is public:"),
        ("list objectives, known mistakes, rubrics, what to leave out and what to talk about; they are generated from "
         "the course (`python tests/refresh_instructors.py`)",
         "list objectives, what to leave out and what to talk about"),
    ):  # fmt: skip
        if says not in page:
            raise ValueError(f"INSTRUCTORS.md no longer says {says!r}, which the site says in another way")
        page = page.replace(says, here)
    pages = "\n".join(f"instructors/{path.stem}" for path in NOTES)
    return within_site(f"{page}\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n")


def notes(path: Path) -> str:
    """The notes on a notebook without what gives answers away: known mistakes, and answers that earn every point."""
    return re.sub(
        r"<!-- gen.*?\n|## Exercises and known.*?<!-- end -->\n", "", path.read_text("utf-8"), flags=re.DOTALL
    )


def card(path: Path) -> None:
    """Draw the picture that a messenger shows beside a link to the site: twenty flowers, and the question."""
    from matplotlib.figure import Figure

    ink, members = "#f3f4f5", (1, 2, 5, 8, 9, 11, 14, 16, 18, 19)
    fig = Figure(figsize=(12, 6.3), facecolor="#0d3b45")
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, 12), ylim=(0, 6.3))
    ax.axis("off")
    ax.text(0.7, 4.9, "Who was in the\ntraining set?", color=ink, fontsize=46, fontweight="bold", va="center")
    ax.text(0.7, 2.5, "You may only ask the model.\nPlay against an attack, then write it.", color=ink, fontsize=23,
            va="center", linespacing=1.5)  # fmt: skip
    ax.text(0.7, 0.8, "a hands-on course on membership inference attacks", color="#9fd3dc", fontsize=19, va="center")
    for i in range(20):
        x, y = 8.3 + i % 4, 5.25 - 1.05 * (i // 4)
        face = "#f28e2b" if i in members[:4] else "none"
        ax.plot(x, y, "o", markersize=44, markerfacecolor=face, markeredgecolor=ink, markeredgewidth=2.5)
        if i > 8:
            ax.text(x, y, "?", color=ink, fontsize=26, fontweight="bold", ha="center", va="center_baseline")
    fig.savefig(path, dpi=100)


def library() -> str:
    """The library's first page."""
    names = "\n".join(f"library/{page}" for page in ("recipes", *MODULES))
    words = (
        "To audit a model of yours, begin with the [recipes](library/recipes.md). The reference has the package "
        "`mialab`, module by module: each knows only what stands before it, and every name has an example that runs."
    )
    listed = f"## Reference\n\n```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n"
    return f"# For engineers\n\n{words}\n\n## In short\n\n{readme('For engineers')}{listed}"


def api(module: str) -> str:
    """One module's page: what it exports, by its docstrings."""
    title = f"mialab.{module}"
    exports = hasattr(import_module(title), "__all__")  # else the module's own, without what it imports
    more = "   :imported-members:\n" if exports else ""
    return f"{title}\n{'=' * len(title)}\n\n.. automodule:: {title}\n   :members:\n{more}"


def within_site(text: str) -> str:
    """Links to files of the repository as links to pages, where there is one; else as plain words."""
    text = re.sub(r"\]\((notebooks/\d\d_\w+)\.ipynb\)", r"](\1.ipynb)", text)
    text = text.replace("](INSTRUCTORS.md)", "](instructors.md)").replace(
        "](mialab/instructor/notes/", "](instructors/"
    )
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|notebooks/|instructors\.md|instructors/)[^)]+\)", r"\1", text)


def write(path: Path, text: str) -> None:
    """Write a source page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--few"]
    sys.exit(main(Path(words[0]).absolute() if words else ROOT / ".site", few="--few" in sys.argv))
