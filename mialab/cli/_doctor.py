"""`mialab doctor`: what the course needs of a machine, and the fix for what is missing.

Standard library only at import: it runs before anything is installed, too, to say why an installation would fail.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
import webbrowser
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import mialab
from mialab.cli._lab import CHECKOUT, add_workbook, workbook_of

HELP = "check this machine: each requirement OK, or FAIL with the fix"
ROOM = 200_000_000  # bytes that working through the notebooks may take: answers, checkpoints, caches
ROOM_TO_INSTALL = 2_000_000_000  # all parts, and the downloads on their way
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_AGAIN = "run `make lab` again, or `pip install '.[course]'` in the course's folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `mialab doctor` its option."""
    add_workbook(parser)


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
    here = _is_installed()
    machine = [_python, lambda: _disk(workbook, ROOM if here else ROOM_TO_INSTALL), _loopback, _browser, _programs]
    course = [_package, _dependencies, _data, _kernel] if here else [_venv, _registry, _not_yet]
    own = [_notebooks, lambda: _workbook(workbook), lambda: _progress(workbook)]
    checks: list[Callable[[], Iterable[Finding]]] = [*machine, *course, *own]
    for check in checks:
        try:
            yield from check()
        except Exception as error:  # whatever is wrong here is what the user asked to be told
            what = getattr(check, "__name__", "check").strip("_")
            yield Finding("FAIL", f"{what}: {type(error).__name__}: {error}", _AGAIN)


def _is_installed() -> bool:
    """Return whether the Python that runs this has the course's main packages: many have a NumPy of their own."""
    return all(importlib.util.find_spec(name) for name in ("numpy", "sklearn", "jupyterlab"))


# --- the machine ----------------------------------------------------------------------------------------------------


def _python() -> list[Finding]:
    return [Finding("OK", f"Python {sys.version.split()[0]} ({sys.executable})")]  # run.py turns away what is too old


def _disk(workbook: Path, needed: int) -> list[Finding]:
    nearest = next(folder for folder in (workbook, *workbook.parents) if folder.exists())
    free = shutil.disk_usage(nearest).free
    what = f"disk: {free / 1e9:.1f} GB free"
    return [Finding("OK", what) if free >= needed else Finding("FAIL", what, f"free some: {needed / 1e9:g} GB or more")]


def _loopback() -> list[Finding]:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=2).close()
            return [Finding("OK", "ports: this machine can talk to itself (127.0.0.1), as JupyterLab must")]
    except OSError as error:
        fix = "let programs listen on 127.0.0.1 (a firewall or a sandbox forbids it)"
        return [Finding("FAIL", f"ports: none can be opened on 127.0.0.1 ({error})", fix)]


def _browser() -> list[Finding]:
    try:
        return [Finding("OK", f"web browser ({getattr(webbrowser.get(), 'name', 'the usual one')})")]
    except webbrowser.Error:
        fix = "`make lab` prints an address: open it in a browser, here or on the machine you sit at"
        return [Finding("NOTE", "web browser: none that Python could open by itself", fix)]


def _programs() -> Iterator[Finding]:
    """Say where each program is that the course can do without, or what is then missed."""
    bubblewrap = "`sudo apt install bubblewrap` (Debian, Ubuntu), `sudo dnf install bubblewrap` (Fedora)"
    for name, commands, without, fix in (
        ("git", ["git"], "updates of the course then come as a ZIP", "install git, or leave it"),
        ("Chromium", CHROMIUM, "only the browser tests of `make test` need it, and are skipped", ""),
        ("bubblewrap", ["bwrap"], "only instructors need it, to grade (on Linux)", bubblewrap),
    ):
        found = next(filter(None, map(shutil.which, commands)), None)
        yield Finding("OK", f"{name} ({found})") if found else Finding("NOTE", f"{name} was not found: {without}", fix)


# --- before anything is installed -----------------------------------------------------------------------------------


def _venv() -> list[Finding]:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if not missing:
        return [Finding("OK", "this Python can make environments (venv)")]
    fix = "on Debian or Ubuntu `sudo apt install python{}.{}-venv`; elsewhere install Python from python.org"
    what = f"this Python has no {' and no '.join(missing)}, so it cannot make an environment"
    return [Finding("FAIL", what, fix.format(*sys.version_info))]


def _registry() -> list[Finding]:
    """Fetch one small package of the lock, as the set-up fetches all: through the user's own mirror and proxy."""
    pip = _pip()
    if pip is None:
        return [Finding("NOTE", "package registry: it cannot be asked, for this Python has no pip yet")]
    small = f"idna=={max(_pins()['idna'])}"
    with tempfile.TemporaryDirectory() as folder:
        words = ["download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--no-input", "--retries=1"]
        done = subprocess.run(
            [sys.executable, "-m", "pip", *words, "--timeout=20", f"--dest={folder}", small],
            env={**os.environ, "PYTHONPATH": pip}, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    if done.returncode == 0:
        return [Finding("OK", "package registry: it answers")]
    said = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
    fix = "check the network, and your proxy or mirror if you use one (`python -m pip config list`)"
    return [Finding("FAIL", f"package registry: it does not answer ({said})", fix)]


def _pip() -> str | None:
    """Return what Python's path must hold for `python -m pip`: nothing, or the pip that came with Python; or None."""
    if _version("pip"):  # not find_spec, at which setuptools would give up its own distutils
        return ""
    if importlib.util.find_spec("ensurepip") is None:
        return None
    import ensurepip

    folders = [Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")]  # the second: Debian's
    return next((str(wheel) for folder in folders for wheel in folder.glob("pip-*.whl")), None)


def _not_yet() -> list[Finding]:
    if (CHECKOUT / ".venv").exists():
        return [Finding("FAIL", "the course's .venv does not work", "run `make clean`, then `make lab`")]
    fix = "once nothing here says FAIL, run `make lab`: it does that, and opens it"
    return [Finding("NOTE", "the course is not installed yet", fix)]


# --- the course -----------------------------------------------------------------------------------------------------


def _package() -> list[Finding]:
    return [Finding("OK", f"mialab {mialab.__version__} ({Path(mialab.__file__).parent})")]


def _dependencies() -> list[Finding]:
    """Say which packages are missing or in another version than the course allows, and which parts are not there."""
    from packaging.requirements import Requirement

    pins, (needed, parts) = _pins(), _requirements()
    found = [_dependency(one.name, one.specifier, pins) for one in map(Requirement, needed)]
    fine = [finding for finding in found if finding.state == "OK"]
    other = [finding.what for finding in fine if "lock" in finding.what]
    told = "; ".join(other) or "as the lock names them" if pins else "in their ranges"
    absent = [part for part, lines in parts.items() if any(_version(Requirement(line).name) is None for line in lines)]
    notes = [Finding("NOTE", f"the part `{part}` is not installed: {_ADDED_BY[part]}") for part in absent]
    return [Finding("OK", f"{len(fine)} packages, {told}"), *(one for one in found if one.state != "OK"), *notes]


# Who adds a part that a learner needs not.
_ADDED_BY = {
    "instructor": "`mialab assign` and `mialab grade` add it",
    "site": "`make site` adds it",
    "test": "`make test` adds it",
}


def _requirements() -> tuple[list[str], dict[str, list[str]]]:
    """Return what the course needs, and what its other parts do: from pyproject.toml, or as installed."""
    pyproject = CHECKOUT / "pyproject.toml"
    if pyproject.is_file():
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        extras = dict(project["optional-dependencies"])
        return project["dependencies"] + extras.pop("course"), extras
    lines = [line.replace('"', "'") for line in metadata.requires("mialab") or []]
    return [line for line in lines if "extra ==" not in line or "extra == 'course'" in line], {}


def _dependency(name: str, allowed, pins: dict[str, set[str]]) -> Finding:
    """Say whether one dependency is here in an allowed version, and whether it is the locked one."""
    version = _version(name)
    if version is None:
        return Finding("FAIL", f"{name} is not installed", _AGAIN)
    if not allowed.contains(version, prereleases=True):
        return Finding("FAIL", f"{name} {version} is not in the range {allowed}", _AGAIN)
    pinned = pins.get(_plain(name), {version})
    other = "" if version in pinned else f" (the lock has {' or '.join(sorted(pinned))})"
    return Finding("OK", f"{name} {version}{other}")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _pins() -> dict[str, set[str]]:
    """Return {package: locked versions} in a checkout; nothing where there is no lock."""
    lock = CHECKOUT / "requirements.lock"
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


def run(options: argparse.Namespace) -> int:
    """Print each requirement as OK or FAIL with its fix; fail if any has."""
    failed = 0
    for finding in examine(workbook_of(options)):
        print(finding)
        failed += finding.state == "FAIL"
    ready = "Everything that the course needs is here."
    well = ready if _is_installed() else "Nothing stands in the way of `make lab`."
    print(well if not failed else f"{failed} to mend, see FAIL above.")
    return 1 if failed else 0
