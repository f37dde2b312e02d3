"""`mialab collect`: put what was handed in where `mialab grade` looks for it."""

from __future__ import annotations

import argparse

HELP = "for instructors: put an archive of hand-ins where `mialab grade` looks for them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `mialab collect`."""
    parser.add_argument("archive", metavar="ZIP", help="what the learning-management system gives to download")
    parser.add_argument("--course", required=True, metavar="DIR", help="the folder of the class")


def run(options: argparse.Namespace) -> int:
    """Put what was handed in where `mialab grade` looks for it."""
    from mialab.instructor.grading._archives import collect as put_into_place

    collected = put_into_place(options.archive, options.course)
    print(collected)
    return 1 if collected.left else 0
