"""Each module of the package knows only what comes before it (the order of the course's design)."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "mialab"

TIERS = [
    {"_checks", "_files", "_still", "_threads", "glossary"},
    *({name} for name in "data targets _stack nets _wire _openapi _traffic _service _server blackbox".split()),
    *({name} for name in "search shadows attacks metrics trials exposure privacy".split()),
    *({name} for name in "defences _sets _report audit plots widgets".split()),
    {"workbook"},
    {"exercises"},
    {"instructor"},
    {"_doctor", "_serve_cli", "_class_cli"},
    {"_audit_cli"},
    {"cli"},
    {"__main__"},
]
TIER = {name: tier for tier, names in enumerate(TIERS) for name in names}


def module_of(path: Path) -> str:
    """The top-level module that a file belongs to: exercises/_chapter.py belongs to exercises."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_modules(source: str) -> set[str]:
    """The modules of mialab that a source file imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("mialab.")}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "import by full name (from mialab…), so that the order can be read"
            if node.module == "mialab":
                found |= {alias.name for alias in node.names if not alias.name.startswith("__")}
            elif (node.module or "").startswith("mialab."):
                found.add(node.module.split(".")[1])
    return found


def backward(module: str, source: str) -> set[str]:
    """The imports that run backwards: from a module's own tier or a later one, itself excepted."""
    return {name for name in imported_modules(source) - {module} if TIER[name] >= TIER[module]}


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_knows_only_what_comes_before_it(path):
    module = module_of(path)
    assert module in TIER, f"{module} has no place in the order: add it to TIERS"
    assert backward(module, path.read_text(encoding="utf-8")) == set()


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
