"""Each room of the package knows only what comes before it, the science stands alone, no function is too long."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "mialab"

# A room a name; a module is in the room that the longest of these names is a part of.
TIERS = [
    {"_checks", "_files", "_html", "_still", "_threads", "_answers", "glossary"},
    *({name} for name in "data targets nets search shadows attacks metrics trials exposure privacy defences".split()),
    {"blackbox", "plots", "workbook"},
    {"audit", "widgets"},
    *({f"exercises{room}"} for room in ("._engine", "._cases", "")),
    *({f"instructor{room}"} for room in (".making", ".grading", ".reporting", ".challenge", "")),
    {"cli"},
    {"__main__"},
]
TIER = {name: tier for tier, names in enumerate(TIERS) for name in names}
SCIENCE = "data targets nets search shadows attacks metrics trials exposure privacy defences".split()


def room_of(module: str) -> str:
    """The room that a module (its name without `mialab.`) is in: exercises._engine for exercises._engine._bench."""
    parts = module.split(".")
    names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((name for name in names if name in TIER), parts[0])


def imported_rooms(source: str) -> set[str]:
    """The rooms of mialab from which a source file imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {room_of(alias.name[7:]) for alias in node.names if alias.name.startswith("mialab.")}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "import by full name (from mialab…), so that the order can be read"
            if (node.module or "").partition(".")[0] == "mialab":
                names = (f"{node.module}.{alias.name}"[7:] for alias in node.names if not alias.name.startswith("__"))
                found |= {room_of(name) for name in names}
    return found


def backward(room: str, source: str) -> set[str]:
    """The imports that run backwards: from a room's own tier or a later one, itself excepted."""
    return {name for name in imported_rooms(source) - {room} if TIER[name] >= TIER[room]}


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_knows_only_what_comes_before_it(path):
    room = room_of(".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"))
    assert room in TIER, f"{room} has no place in the order: add it to TIERS"
    assert backward(room, path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "line",
    [
        "from mialab.plots import show",
        "from mialab import plots",
        "import mialab.plots",
        "def f():\n    from mialab.plots import show",
        "if TYPE_CHECKING:\n    from mialab.plots import show",
    ],
)
def test_a_backward_import_is_caught(line):
    assert backward("metrics", line) == {"plots"}
    assert backward("widgets", line) == set()


def test_the_package_itself_imports_nothing_at_start():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    at_start = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {getattr(node, "module", None) for node in at_start} <= {"types", "__future__"}


def test_every_room_is_on_the_map():
    """The table in CONTRIBUTING.md has each room, in an order in which none comes before what it imports."""
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    cells = [re.sub(r"`(grading|reporting|challenge)/`", r"`instructor/\1/`", cell) for cell in cells]
    order = [name.strip("/").replace("/", ".") for cell in cells for name in re.findall(r"`([\w/]+)`", cell)]
    assert set(order) == set(TIER) - {"instructor", "__main__"}
    assert [TIER[room] for room in order] == sorted(TIER[room] for room in order)


def test_the_science_loads_no_service():
    """Nothing of the prediction service, nor of the libraries that it stands on, comes with the attacks."""
    code = (
        f"import sys, importlib; [importlib.import_module('mialab.' + m) for m in {SCIENCE}]; "
        "heavy = ('mialab.blackbox', 'fastapi', 'starlette', 'httpx', 'uvicorn', 'mialab.instructor', 'IPython'); "
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the length of functions ----------------------------------------------------------------------------------------

LONGEST = 40  # lines of code, docstring and comments not counted


def code_lines(function: ast.AST, source: list[str]) -> int:
    """How many lines of a function hold code: neither blank, nor a comment, nor part of a docstring."""
    lines = set()
    for node in ast.walk(function):
        if isinstance(node, ast.expr | ast.stmt | ast.arg | ast.excepthandler | ast.keyword):
            lines |= {node.lineno, node.end_lineno}
    lines |= {n for n in range(function.lineno, function.end_lineno + 1) if source[n - 1].strip() in ")]}"}
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            lines |= set(range(node.lineno, node.end_lineno + 1))  # a long text is long to read
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len({n for n in lines if source[n - 1].strip()})


def too_long(text: str) -> dict[str, int]:
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {f.name: code_lines(f, text.splitlines()) for f in functions}
    return {name: length for name, length in lengths.items() if length > LONGEST}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_function_can_be_read_at_once(path):
    assert too_long(path.read_text(encoding="utf-8")) == {}


def test_a_long_function_is_noticed_and_a_long_docstring_is_not():
    body = "".join(f"    x{n} = {n}\n" for n in range(LONGEST))
    assert too_long("def f():\n" + body) == {"f": LONGEST + 1}
    docstring = '    """' + "words\n" * 60 + '    """\n\n    # a comment\n'
    assert too_long("def f():\n" + docstring + body[: body.rindex("    x")]) == {}
