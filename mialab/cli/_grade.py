"""`mialab grade`: grade what a class handed in."""

from __future__ import annotations

import argparse
import sys
import time

from mialab._files import clean

HELP = "for instructors: grade what was handed in, each submission in a sandbox"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `mialab grade`."""
    parser.add_argument("submitted", help="a folder per student, a folder per assignment in it")
    parser.add_argument("--out", required=True, metavar="DIR", help="where grades and feedback go; also goes on there")
    parser.add_argument("--key", metavar="FILE", help="the key that personal assignments were made with")
    parser.add_argument("--course", metavar="DIR", help="the folder of the class (the one that holds SUBMITTED)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NN", help="these assignments alone (or: challenge); "
                        "the tables and the feedback are about these, too")  # fmt: skip
    parser.add_argument("--missing-zero", action="store_true", help="write 0, not nothing, for what was not handed in "
                        "into canvas.csv and moodle.csv: when it is due")  # fmt: skip
    parser.add_argument("--accept", nargs="+", default=[], metavar="STUDENT", help="give a total to these, whose work "
                        "was held back, or a 0 where it is unreadable; kept for later runs")  # fmt: skip
    parser.add_argument("--again", nargs="+", default=[], metavar="STUDENT", help="grade these anew, whatever was "
                        "found before")  # fmt: skip
    parser.add_argument("--drop", nargs="+", default=[], metavar="QUESTION", help="leave these questions out of "
                        "everyone's total (06.my_auc); say it in each run")  # fmt: skip
    parser.add_argument("--due", nargs="+", default=[], metavar="NN=DATE", help="when assignments are due "
                        "(06=2026-12-01T18:00): later ones are named, with the days")  # fmt: skip
    parser.add_argument("--late-off", type=float, default=0.0, metavar="PERCENT", help="taken off the points for each "
                        "day begun after that (0)")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="how many at a time (2)")
    parser.add_argument("--seconds", type=float, default=90.0, help="the most that one notebook may take (90)")
    parser.add_argument("--no-sandbox", action="store_true", help="run students' code as you, with all that you may do")


def run(options: argparse.Namespace) -> int:
    """Grade what was handed in."""
    if not sys.platform.startswith("linux"):
        raise ValueError(
            "grading needs Linux, for its sandbox: use a virtual machine, or a container that may nest them"
        )
    from mialab.instructor._class import grade_class
    from mialab.instructor.grading._sandbox import Limits

    if options.no_sandbox:
        print("Without a sandbox: every submission runs as you, and may do what you may.", file=sys.stderr)
    bar = _Bar()
    graded = grade_class(
        options.submitted,
        options.out,
        key=options.key,
        course=options.course,
        only=options.only,
        again=options.again,
        accept=options.accept,
        drop=options.drop,
        due=options.due,
        late_off=options.late_off,
        missing_zero=options.missing_zero,
        sandboxed=not options.no_sandbox,
        jobs=options.jobs,
        limits=Limits(seconds=options.seconds),
        tell=bar,
    )
    bar.close()
    print(clean(str(graded)))
    return 1 if graded.failed else 0


class _Bar:
    """How far the grading is: one line that grows on a terminal, a line each tenth in a log."""

    def __init__(self) -> None:
        self._began, self._tenth, self._shown = time.monotonic(), -1, False

    def __call__(self, done: int, of: int, student: str) -> None:
        left = (time.monotonic() - self._began) / done * (of - done)
        words = f"{done} of {of}, about {left:.0f} s left"
        if sys.stderr.isatty():
            full = round(30 * done / of)
            print(
                f"\r[{'#' * full}{'.' * (30 - full)}] {words}  {student[:20]:<20}", end="", file=sys.stderr, flush=True
            )
            self._shown = True
        elif 10 * done // of > self._tenth:
            self._tenth = 10 * done // of
            print(words, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._shown:
            print(file=sys.stderr)
