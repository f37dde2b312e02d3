"""The checks behind `mialab doctor`: what the course needs of a machine, and the fix for what is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import mialab

PYTHON_FLOOR = (3, 11)
ROOM = 200_000_000  # bytes that working through the notebooks may take: answers, checkpoints, caches
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_CHECKOUT = Path(mialab.__file__).resolve().parent.parent  # where a clone has pyproject.toml
_AGAIN = "run `make lab` again, or `pip install '.[course]'` in the course's folder"


@dataclass(frozen=True)
class Finding:
    """One requirement: OK, FAIL with its fix, or a NOTE that stops nobody."""

    state: str
    what: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.state:4}  {self.what}" + (f"\n      fix: {self.fix}" if self.fix else "")


def examine(workbook: Path) -> Iterator[Finding]:
    """Yield a finding for each requirement; a check that itself fails is a finding, never a traceback."""
    checks: list[Callable[[], list[Finding]]] = [
        _python,
        _package,
        _dependencies,
        _data,
        _notebooks,
        lambda: _workbook(workbook),
        lambda: _progress(workbook),
        _kernel,
        _loopback,
        lambda: _disk(workbook),
        _chromium,
    ]
    for check in checks:
        try:
            yield from check()
        except Exception as error:  # whatever is wrong here is what the user asked to be told
            what = getattr(check, "__name__", "check").strip("_")
            yield Finding("FAIL", f"{what}: {type(error).__name__}: {error}", _AGAIN)


def _python() -> list[Finding]:
    what = f"Python {sys.version.split()[0]} ({sys.executable})"
    if sys.version_info < PYTHON_FLOOR:
        return [Finding("FAIL", what, "install Python 3.11 or newer and run `make lab PYTHON=…` with it")]
    return [Finding("OK", what)]


def _package() -> list[Finding]:
    return [Finding("OK", f"mialab {mialab.__version__} ({Path(mialab.__file__).parent})")]


def _dependencies() -> list[Finding]:
    from packaging.requirements import Requirement

    pins = _pins()
    needed, testing = _requirements()
    wanted = [(Requirement(line), False) for line in needed] + [(Requirement(line), True) for line in testing]
    return [_dependency(one.name, one.specifier, pins, for_tests) for one, for_tests in wanted]


def _requirements() -> tuple[list[str], list[str]]:
    """Return what the course needs, and what only its tests do: from pyproject.toml, or as installed."""
    pyproject = _CHECKOUT / "pyproject.toml"
    if pyproject.is_file():
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"]
        return project["dependencies"] + extras["course"], extras["test"]
    lines = metadata.requires("mialab") or []
    return [line for line in lines if "extra == 'test'" not in line.replace('"', "'")], []


def _dependency(name: str, allowed, pins: dict[str, set[str]], testing: bool) -> Finding:
    """Say whether one dependency is here in an allowed version, and whether it is the locked one."""
    worse, purpose = ("NOTE", ", needed only for `make test`") if testing else ("FAIL", "")
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(worse, f"{name} is not installed{purpose}", _AGAIN)
    if not allowed.contains(version, prereleases=True):
        return Finding(worse, f"{name} {version} is not in the range {allowed}{purpose}", _AGAIN)
    pinned = pins.get(_plain(name), {version})
    other = "" if version in pinned else f" (the lock has {' or '.join(sorted(pinned))})"
    return Finding("OK", f"{name} {version}{other}")


def _pins() -> dict[str, set[str]]:
    """Return {package: locked versions} in a checkout; nothing where there is no lock."""
    lock = _CHECKOUT / "requirements.lock"
    pins: dict[str, set[str]] = {}
    if lock.is_file():
        for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
            pins.setdefault(_plain(name), set()).add(version)
    return pins


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _data() -> list[Finding]:
    from mialab.data import load_iris

    try:
        return [Finding("OK", f"data: {load_iris()!r}, checksum as it should be")]
    except (ValueError, OSError) as error:
        return [Finding("FAIL", f"data: {error}", "restore the folder data/ (`git checkout -- data`)")]


def _notebooks() -> list[Finding]:
    from mialab._files import notebooks_folder

    folder = notebooks_folder()
    number = len(list(folder.glob("*.ipynb")))
    if not number:
        return [Finding("FAIL", f"no notebooks in {folder}", "restore them (`git checkout -- notebooks`)")]
    return [Finding("OK", f"{number} notebooks ({folder})")]


def _workbook(workbook: Path) -> list[Finding]:
    nearest = next(folder for folder in (workbook, *workbook.parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        fix = f'make {nearest} a folder that you may write to, or choose another: `make lab ARGS="--workbook DIR"`'
        return [Finding("FAIL", f"workbook {workbook} cannot be written", fix)]
    if nearest != workbook:
        return [Finding("OK", f"workbook {workbook}: will be made by `make lab` (or `mialab lab`)")]
    locked = [path.name for path in sorted(workbook.glob("*.ipynb")) if not os.access(path, os.W_OK)]
    if locked:
        names = ", ".join(locked)
        return [Finding("FAIL", f"workbook: {names} cannot be written", f"`chmod u+w` in {workbook}")]
    return [Finding("OK", f"workbook {workbook}")]


def _progress(workbook: Path) -> list[Finding]:
    path = workbook / "progress.json"
    if not path.exists():
        return [Finding("OK", "progress: none yet")]
    try:
        answered = len(json.loads(path.read_bytes())["exercises"])
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        fix = "the next answer sets it aside by name; to keep your points, mend it first"
        return [Finding("FAIL", f"progress: {path} cannot be read ({error})", fix)]
    return [Finding("OK", f"progress: {answered} tried so far ({path})")]


def _kernel() -> list[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return [Finding("FAIL", "the Python kernel for notebooks is not installed", _AGAIN)]
    program = spec.argv[0]
    # A bare name is replaced by the Python that starts the kernel; only a path can lead elsewhere.
    ours = not os.path.isabs(program) or Path(program).parent == Path(sys.executable).parent
    if not ours:
        fix = "another environment's kernel hides ours: `jupyter kernelspec remove python3`, then try again"
        return [Finding("FAIL", f"the Python kernel for notebooks is another Python, {program}", fix)]
    return [Finding("OK", f"Python kernel for notebooks ({spec.resource_dir})")]


def _loopback() -> list[Finding]:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=2).close()
            return [Finding("OK", "this machine can talk to itself (127.0.0.1), as JupyterLab must")]
    except OSError as error:
        fix = "let programs listen on 127.0.0.1 (a firewall or a sandbox forbids it)"
        return [Finding("FAIL", f"no port can be opened on 127.0.0.1 ({error})", fix)]


def _disk(workbook: Path) -> list[Finding]:
    nearest = next(folder for folder in (workbook, *workbook.parents) if folder.exists())
    free = shutil.disk_usage(nearest).free
    what = f"disk: {free / 1e9:.1f} GB free"
    return [Finding("OK", what) if free >= ROOM else Finding("FAIL", what, "free some space, 0.2 GB or more")]


def _chromium() -> list[Finding]:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found:
        return [Finding("OK", f"Chromium ({found})")]
    return [Finding("NOTE", "Chromium was not found: the browser tests of `make test` will be skipped")]
