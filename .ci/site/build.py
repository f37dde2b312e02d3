"""Build the course as static pages: `python run.py site`. Nothing is fetched, neither now nor when a page is read."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from mialab.glossary import TERMS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# The library, in the order in which its modules know each other.
MODULES = ("data targets nets blackbox search shadows attacks metrics trials exposure privacy defences audit plots "
           "widgets glossary instructor").split()  # fmt: skip

# Code and what it prints wrap, and so do long names and addresses: no page scrolls sideways.
CSS = """\
div.cell pre { white-space: pre-wrap; overflow-wrap: anywhere; }
code.literal, code.literal span.pre { white-space: normal; overflow-wrap: anywhere; }
"""


def main(out: Path) -> int:
    """Write the pages' sources into `out`/source and the pages into `out`/html; Sphinx' exit code, warnings count."""
    source = out / "source"
    if out.exists() and any(out.iterdir()) and not (source / "conf.py").exists():
        print(f"{out} holds files that are not of an earlier build: choose an empty or a new folder.", file=sys.stderr)
        return 2
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(ROOT / "notebooks", source / "notebooks")
    shutil.copy(HERE / "conf.py", source / "conf.py")
    write(source / "_static" / "course.css", CSS)
    write(source / "index.md", index())
    write(source / "instructors.md", instructors())
    write(source / "data.md", within_site((ROOT / "data" / "README.md").read_text("utf-8")))
    write(source / "glossary.md", glossary())
    write(source / "library.md", library())
    write(source / "library" / "recipes.md", (HERE / "recipes.md").read_text("utf-8"))
    for module in MODULES:
        write(source / "library" / f"{module}.rst", api(module))
    words = ["-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-j", "2", str(source), str(out / "html")]
    return subprocess.run([sys.executable, *words], check=False).returncode


def index() -> str:
    """The README up to what is about the README, and the table of contents."""
    readme = (ROOT / "README.md").read_text("utf-8")
    readme = readme[: readme.index("On this page: ")]
    notebooks = "\n".join(f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb")))
    return f"""{within_site(readme)}
These pages are for reading. To run the cells and answer the exercises, get the course and type `make lab`.

```{{toctree}}
:caption: The course
:maxdepth: 1

{notebooks}
```

```{{toctree}}
:caption: Beside it
:maxdepth: 1

glossary
library
notebooks/law
Data cards <data>
instructors
```
"""


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
    """INSTRUCTORS.md without what gives answers away: known mistakes, rubrics and the answers that earn every point."""
    page = (ROOT / "INSTRUCTORS.md").read_text("utf-8")
    page = re.sub(r"<details>.*?</details>\n*", "", page, flags=re.DOTALL)
    for says, here in (
        ("This page names answers, the written ones included.",
         "The known mistakes of every exercise and the rubrics are left out here; they are in INSTRUCTORS.md."),
        ("rubric and one example are on this page", "rubric and one example are in INSTRUCTORS.md"),
        ("The objectives, exercises, known mistakes and rubrics are generated", "The objectives are generated"),
        (" A known mistake is what a learner reads who makes it.", ""),
    ):  # fmt: skip
        if says not in page:
            raise ValueError(f"INSTRUCTORS.md no longer says {says!r}, which the site says in another way")
        page = page.replace(says, here)
    return within_site(page)


def library() -> str:
    """The library's first page."""
    names = "\n".join(f"library/{page}" for page in ("recipes", *MODULES))
    words = (
        "To audit a model of yours, begin with the [recipes](library/recipes.md). Then the package `mialab`, module by "
        "module: each knows only what stands before it, and every name has an example that runs."
    )
    return f"# The library\n\n{words}\n\n```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n"


def api(module: str) -> str:
    """One module's page: what it exports, by its docstrings."""
    title = f"mialab.{module}"
    exports = hasattr(import_module(title), "__all__")  # else the module's own, without what it imports
    more = "   :imported-members:\n" if exports else ""
    return f"{title}\n{'=' * len(title)}\n\n.. automodule:: {title}\n   :members:\n{more}"


def within_site(text: str) -> str:
    """Links to files of the repository as links to pages, where there is one; else as plain words."""
    text = re.sub(r"\]\((notebooks/\d\d_\w+)\.ipynb\)", r"](\1.ipynb)", text)
    text = text.replace("](INSTRUCTORS.md)", "](instructors.md)")
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|notebooks/|instructors\.md)[^)]+\)", r"\1", text)


def write(path: Path, text: str) -> None:
    """Write a source page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else ROOT / ".site"))
