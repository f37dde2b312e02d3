"""`mialab lab`: bring the learner's workbook up to date, then become JupyterLab in it."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import mialab

HELP = "open JupyterLab on your copies of the notebooks"
CHECKOUT = Path(mialab.__file__).resolve().parent.parent  # where a clone has pyproject.toml
# JupyterLab reads defaults from here, below the user's own settings: it silences the news prompt.
_LAB_DEFAULTS = Path(mialab.__file__).resolve().parent / "_lab"
_FIRST = "00_start_here.ipynb"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `mialab lab` its options."""
    add_workbook(parser)
    parser.add_argument("--assignment", metavar="PATH", help="what your instructor handed out, a folder or a "
                        "ZIP: it is copied into your workbook once, and opened")  # fmt: skip
    parser.add_argument("--no-open", action="store_true", help="bring the workbook up to date and stop")
    parser.epilog = "Words after -- are handed to JupyterLab: mialab lab -- --no-browser --port 9000"


def add_workbook(parser: argparse.ArgumentParser) -> None:
    """Give a command of the learner's the option that says where their folder is."""
    parser.add_argument("--workbook", metavar="DIR", help="your folder (usually found by itself)")


def run(options: argparse.Namespace) -> int:
    """Bring the workbook up to date, then become JupyterLab."""
    from mialab.workbook import find_workbook, sync

    workbook = workbook_of(options)
    known = find_workbook() == workbook or (workbook / ".mialab.json").exists()
    steps = sync(workbook)
    print(f"Your workbook is {workbook}{'' if known else ' (new)'}.")
    for step in steps:
        print(f"  {step}")
    first = _FIRST
    if options.assignment:
        first = take_assignment(Path(options.assignment).expanduser(), workbook)
        print(f"Your assignment is {workbook / first}. Hand in that file.")
    if options.no_open:
        print(f"Run `{lab_words(options)}` to open it.")
        return 0
    return _become(lab_command(workbook, options.jupyter, first), lab_environment(workbook))


def take_assignment(handed_out: Path, workbook: Path) -> str:
    """Copy a hand-out, a folder or a ZIP of one, into the workbook, and return its notebook's place in there.

    What lies there already is the learner's work: it stays as it is.

    Raises
    ------
    ValueError : there is no hand-out at that path, or it is not one
    """
    wanted = "it should be the folder, or the ZIP, that you were given, with a notebook and assignment.json in it"
    with tempfile.TemporaryDirectory() as unpacked:
        if zipfile.is_zipfile(handed_out):
            with zipfile.ZipFile(handed_out) as archive:
                archive.extractall(unpacked)
        folder = Path(unpacked) if any(Path(unpacked).iterdir()) else handed_out
        found = [p for p in folder.rglob("*.ipynb") if (p.parent / "assignment.json").is_file()]
        if len(found) != 1:
            raise ValueError(f"assignment={str(handed_out)!r} is no hand-out; {wanted}")
        release = json.loads((found[0].parent / "assignment.json").read_bytes()).get("release", 1)
        folder = workbook / "assignments" / (found[0].stem + (f"_release_{release}" if release > 1 else ""))
        for file in (found[0], found[0].parent / "assignment.json"):
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / file.name).exists():
                shutil.copyfile(file, folder / file.name)
    return f"assignments/{folder.name}/{found[0].name}"


def lab_command(workbook: Path, words: Sequence[str], first: str) -> list[str]:
    """Return the command that opens JupyterLab in the workbook at the notebook `first`; `words` are for Jupyter."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={workbook}"]
    command += [f"--LabApp.default_url=/lab/tree/{first}", "--ServerApp.answer_yes=True"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container everyone is root; Jupyter would refuse
        command.append("--allow-root")
    return [*command, *words]


def lab_environment(workbook: Path) -> dict[str, str]:
    """Return the environment for JupyterLab: where the workbook is, and the course's quiet defaults."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    paths = [str(_LAB_DEFAULTS), environment.get("JUPYTER_CONFIG_PATH", "")]
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(path for path in paths if path)
    environment["MIALAB_WORKBOOK"] = str(workbook)
    return environment


def workbook_of(options: argparse.Namespace) -> Path:
    """Return the folder asked for, else the workbook we are in, else the usual place for one."""
    from mialab.workbook import find_workbook

    if options.workbook:
        return Path(options.workbook).expanduser().absolute()
    usual = CHECKOUT if (CHECKOUT / "pyproject.toml").is_file() else Path.cwd()
    return find_workbook() or usual / "workbook"


def lab_words(options: argparse.Namespace) -> str:
    """Return the command line that opens this workbook, making it first where it is not there yet."""
    named = ["--workbook", str(workbook_of(options))] if options.workbook else []
    if Path(sys.prefix).resolve() != (CHECKOUT / ".venv").resolve():
        return shlex.join(["mialab", "lab", *named])
    # What `make lab` installed is not on the path.
    if os.name == "nt":
        return subprocess.list2cmdline(["python", "run.py", "lab", *named])
    return f'make lab ARGS="{shlex.join(named)}"' if named else "make lab"


def _become(command: list[str], environment: dict[str, str]) -> int:
    """Replace this process by the command, so that Ctrl-C and the exit code are the command's own."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)
    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # JupyterLab has had it too, and shuts down
