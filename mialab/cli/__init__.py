"""The command `mialab`: open the course, check the machine, show progress, serve, audit, assign and grade.

One file a verb, all of one shape: `HELP`, its line in the list of commands; `add_arguments(parser)`, its options;
`run(options)`, which does it and returns the exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mialab import __version__
from mialab.cli import _assign, _audit, _collect, _doctor, _grade, _lab, _progress, _serve

VERBS = {
    "lab": _lab,
    "doctor": _doctor,
    "progress": _progress,
    "serve": _serve,
    "audit": _audit,
    "assign": _assign,
    "collect": _collect,
    "grade": _grade,
}


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
        code = options.run(options)
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


def _check_current_folder() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise ValueError("the current folder has been deleted: go to another one (`cd`) and try again") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mialab", description="Membership inference attacks, step by step.")
    parser.add_argument("--version", action="version", version=f"mialab {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in VERBS.items():
        verb = verbs.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    return parser
