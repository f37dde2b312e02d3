"""The command `mialab`: open the course, check the machine, show progress, serve, audit, assign and grade."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mialab import __version__, _audit_cli, _class_cli, _serve_cli

if TYPE_CHECKING:
    import pandas as pd

# JupyterLab reads defaults from here, below the user's own settings: it silences the news prompt.
_LAB_DEFAULTS = Path(__file__).resolve().parent / "_lab"
_FIRST = "00_start_here.ipynb"
_CHECKOUT = Path(__file__).resolve().parent.parent  # where a clone has pyproject.toml


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a foreseen failure is one sentence on standard error."""
    words = list(sys.argv[1:] if argv is None else argv)
    cut = words.index("--") if "--" in words else len(words)
    options = _parser().parse_args(words[:cut])
    options.jupyter = words[cut + 1 :]
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a folder's name may hold what a terminal cannot show
    code = 0
    try:
        _check_current_folder()
        code = options.action(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `mialab progress | head -1`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python's last flush fails again, aloud
    except (ValueError, OSError) as error:
        print(f"mialab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return code


def lab(options: argparse.Namespace) -> int:
    """Bring the workbook up to date, then become JupyterLab."""
    from mialab.workbook import find_workbook, sync

    workbook = _workbook(options)
    known = find_workbook() == workbook or (workbook / ".mialab.json").exists()
    steps = sync(workbook)
    print(f"Your workbook is {workbook}{'' if known else ' (new)'}.")
    for step in steps:
        print(f"  {step}")
    if options.no_open:
        print(f"Run `{_lab_words(options)}` to open it.")
        return 0
    return _become(lab_command(workbook, options.jupyter), lab_environment(workbook))


def lab_command(workbook: Path, words: Sequence[str] = ()) -> list[str]:
    """Return the command that opens JupyterLab in the workbook at notebook 00; `words` are for Jupyter."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={workbook}"]
    command += [f"--LabApp.default_url=/lab/tree/{_FIRST}", "--ServerApp.answer_yes=True"]
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


def doctor(options: argparse.Namespace) -> int:
    """Print each requirement as OK or FAIL with its fix; fail if any has."""
    from mialab._doctor import examine

    failed = 0
    for finding in examine(_workbook(options)):
        print(finding)
        failed += finding.state == "FAIL"
    print("Everything that the course needs is here." if not failed else f"{failed} to mend, see FAIL above.")
    return 1 if failed else 0


def progress(options: argparse.Namespace) -> int:
    """Print what has been answered so far, and the totals."""
    workbook = _workbook(options)
    if not any((workbook / name).exists() for name in (".mialab.json", "progress.json")):
        raise ValueError(f"there is no workbook at {workbook}: run `{_lab_words(options)}`, which makes one")
    os.environ["MIALAB_WORKBOOK"] = str(workbook)
    from mialab.exercises import progress_table

    table = progress_table()
    if note := table.attrs.get("note"):
        print(note)
    if table.empty:
        print("There are no exercises yet.")
        return 0
    print(_aligned(table))
    done = int((~table["outcome"].isin(["not attempted", "not yet"])).sum())
    points, most = table["points"].sum(), table["of"].sum()
    print(f"\n{done} of {len(table)} exercises done, {points:g} of {most:g} points.")
    return 0


def _aligned(table: pd.DataFrame) -> str:
    """Return a table as lines of text: words to the left, numbers to the right."""
    columns = []
    for name, values in table.items():
        words = values.dtype.kind not in "if"
        cells = [name, *(str(value) if words else f"{value:g}" for value in values)]
        width = max(map(len, cells))
        columns.append([cell.ljust(width) if words else cell.rjust(width) for cell in cells])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _lab_words(options: argparse.Namespace) -> str:
    """Return the command line that opens this workbook, making it first where it is not there yet."""
    named = ["--workbook", str(_workbook(options))] if options.workbook else []
    if Path(sys.prefix).resolve() != (_CHECKOUT / ".venv").resolve():
        return shlex.join(["mialab", "lab", *named])
    # What `make lab` installed is not on the path.
    if os.name == "nt":
        return subprocess.list2cmdline(["python", "run.py", "lab", *named])
    return f'make lab ARGS="{shlex.join(named)}"' if named else "make lab"


def _check_current_folder() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise ValueError("the current folder has been deleted: go to another one (`cd`) and try again") from None


def _workbook(options: argparse.Namespace) -> Path:
    """Return the folder asked for, else the workbook we are in, else the usual place for one."""
    from mialab.workbook import find_workbook

    if options.workbook:
        return Path(options.workbook).expanduser().absolute()
    usual = _CHECKOUT if (_CHECKOUT / "pyproject.toml").is_file() else Path.cwd()
    return find_workbook() or usual / "workbook"


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mialab", description="Membership inference attacks, step by step.")
    parser.add_argument("--version", action="version", version=f"mialab {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for action, words in (
        (lab, "open JupyterLab on your copies of the notebooks"),
        (doctor, "check this machine: each requirement OK, or FAIL with the fix"),
        (progress, "show what you have answered so far"),
    ):
        verb = verbs.add_parser(action.__name__, help=words, description=words)
        verb.add_argument("--workbook", metavar="DIR", help="your folder (usually found by itself)")
        verb.set_defaults(action=action)
        if action is lab:
            verb.add_argument("--no-open", action="store_true", help="bring the workbook up to date and stop")
            verb.epilog = "Words after -- are handed to JupyterLab: mialab lab -- --no-browser --port 9000"
    for name, action, add_arguments, words in (
        ("serve", _serve_cli.run, _serve_cli.add_arguments, "put a model behind a prediction service, until Ctrl-C"),
        ("audit", _audit_cli.run, _audit_cli.add_arguments, "attack a model with all that an attacker may know, and "
         "write a report"),
        ("assign", _class_cli.assign, _class_cli.add_assign_arguments, "for instructors: make an assignment from a "
         "notebook of the course"),
        ("collect", _class_cli.collect, _class_cli.add_collect_arguments, "for instructors: put an archive of hand-ins "
         "where `mialab grade` looks for them"),
        ("grade", _class_cli.grade, _class_cli.add_grade_arguments, "for instructors: grade what was handed in, each "
         "submission in a sandbox"),
    ):  # fmt: skip
        verb = verbs.add_parser(name, help=words, description=words)
        verb.set_defaults(action=action)
        add_arguments(verb)
    return parser


if __name__ == "__main__":
    sys.exit(main())
