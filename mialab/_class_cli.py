"""The commands `mialab assign`, `mialab collect` and `mialab grade`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path


def add_assign_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `mialab assign`."""
    parser.add_argument("assignment", nargs="?", metavar="NN", help="a notebook's number, or: challenge")
    parser.add_argument("--exercises", nargs="+", metavar="NAME", help="only these (all but the guesses)")
    parser.add_argument("--out", metavar="DIR", help="the folder of the class")
    parser.add_argument("--roster", metavar="CSV", help="a column `student`, perhaps name, email and lms_id: everyone "
                        "gets a model of their own")  # fmt: skip
    parser.add_argument("--key", metavar="FILE", help="what everyone's own is drawn from; keep it secret, and keep it")
    parser.add_argument("--new-key", metavar="FILE", help="make a key file and stop")
    parser.add_argument("--no-hints", action="store_true", help="the assignment gives no hints")
    parser.add_argument("--zip", action="store_true", help="also write an archive for each student, in DIR/archives/")
    parser.add_argument("--url", metavar="URL", help="challenge: where students will find the service")
    parser.add_argument("--budget", type=int, metavar="N", help="challenge: records that a student may ask about")


def assign(options: argparse.Namespace) -> int:
    """Make an assignment, or a key."""
    from mialab.instructor import _keys

    if options.new_key:
        _keys.make_key(options.new_key)
        print(f"{options.new_key} is a new key. Keep a copy: without it nothing that is drawn from it can be graded.")
        return 0
    if not options.assignment or not options.out:
        raise ValueError("say which notebook and where, e.g. mialab assign 05 --out try/")
    if options.assignment == "challenge":
        from mialab.instructor._challenge import assign_challenge

        given = {name: value for name in ("url", "budget") if (value := getattr(options, name)) is not None}
        if not options.roster or not options.key:
            raise ValueError("the challenge is personal: give --roster and --key")
        folders = assign_challenge(options.out, roster=options.roster, key=options.key, **given)
        print(
            f"A challenge for {len(folders)} students: {folders[0].parent.parent}. Hand out these folders and nothing "
            f"else of {options.out}.{_packed(options, folders)}\n"
            f"Serve it: mialab serve --challenge {options.out} --instructor-key {options.key}"
        )
        return 0
    from mialab.instructor import assign

    made = assign(
        options.assignment,
        options.out,
        exercises=options.exercises,
        roster=options.roster,
        key=options.key,
        hints=not options.no_hints,
    )
    if made.left:
        print(f"No longer on the roster, so no longer graded: {', '.join(made.left)}. Their files stay.")
    if made.added:
        new = ", ".join(folder.parent.name for folder in made.handouts)
        print(f"{made.assignment}: new handouts for {new}, in {made.handouts[0].parent.parent}. Nobody else's changed."
              f"{_packed(options, made.handouts)}")  # fmt: skip
        return 0
    print(f"{made.assignment}: {len(made.questions)} questions, {sum(made.questions.values())} points.")
    for name, points in made.questions.items():
        print(f"  {points:>3}  {name}")
    folder = made.handouts[0].parent.parent
    for_whom = f"{len(made.handouts)} students" if options.roster else "everyone"
    print(f"For {for_whom}: {folder}. Hand out these folders and nothing else of {options.out}."
          f"{_packed(options, made.handouts)}")  # fmt: skip
    collected, key = Path(options.out) / "submitted", f" --key {options.key}" if options.key else ""
    print(f"Collect into {collected}/STUDENT/{made.assignment}/, then: mialab grade {collected} --out grades/{key}")
    return 0


def _packed(options: argparse.Namespace, folders: list[Path]) -> str:
    """Write the archives that were asked for, and say where they are."""
    if not options.zip:
        return ""
    from mialab.instructor._archives import pack

    place = Path(options.out) / "archives" / folders[0].name
    for folder in folders:
        pack(folder, place / f"{folder.parent.name}.zip")
    return f" As archives: {place}."


def add_collect_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `mialab collect`."""
    parser.add_argument("archive", metavar="ZIP", help="what the learning-management system gives to download")
    parser.add_argument("--course", required=True, metavar="DIR", help="the folder of the class")


def collect(options: argparse.Namespace) -> int:
    """Put what was handed in where `mialab grade` looks for it."""
    from mialab.instructor._archives import collect as put_into_place

    collected = put_into_place(options.archive, options.course)
    print(collected)
    return 1 if collected.left else 0


def add_grade_arguments(parser: argparse.ArgumentParser) -> None:
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
                        "was held back; kept for later runs")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="how many at a time (2)")
    parser.add_argument("--seconds", type=float, default=90.0, help="the most that one notebook may take (90)")
    parser.add_argument("--no-sandbox", action="store_true", help="run students' code as you, with all that you may do")


def grade(options: argparse.Namespace) -> int:
    """Grade what was handed in."""
    if not sys.platform.startswith("linux"):
        raise ValueError(
            "grading needs Linux, for its sandbox: use a virtual machine, or a container that may nest them"
        )
    from mialab.instructor._class import grade_class
    from mialab.instructor._sandbox import Limits

    if options.no_sandbox:
        print("Without a sandbox: every submission runs as you, and may do what you may.", file=sys.stderr)
    if options.jobs < 1:
        raise ValueError(f"jobs={options.jobs} should be 1 or more")
    bar = _Bar()
    graded = grade_class(
        options.submitted,
        options.out,
        key=options.key,
        course=options.course,
        only=options.only,
        accept=options.accept,
        missing_zero=options.missing_zero,
        sandboxed=not options.no_sandbox,
        jobs=options.jobs,
        limits=Limits(seconds=options.seconds),
        tell=bar,
    )
    bar.close()
    print(graded)
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
