"""`mialab collect`: put what was handed in where `mialab grade` looks for it."""

from __future__ import annotations

import argparse
import sys

HELP = "for instructors: put an archive of hand-ins where `mialab grade` looks for them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `mialab collect`."""
    parser.add_argument("archive", metavar="ZIP", help="what the learning-management system gives to download")
    parser.add_argument("--course", required=True, metavar="DIR", help="the folder of the class")
    parser.add_argument("--keep", choices=("ask", "newest"), default="ask", help="of several for one place: leave them "
                        "to you (ask), or take the latest by the archive's dates and keep the others in "
                        "instructor/replaced/ (newest)")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Put what was handed in where `mialab grade` looks for it."""
    from mialab.instructor._collect import collect

    collected = collect(options.archive, options.course, options.keep)
    encoding = sys.stdout.encoding or "utf-8"
    print(str(collected).encode(encoding, "backslashreplace").decode(encoding))  # names are in any script
    return 1 if collected.left else 0
