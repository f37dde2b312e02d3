"""`mialab assign`: make an assignment for a class from a notebook of the course, or the challenge."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "for instructors: make an assignment from a notebook of the course"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `mialab assign`."""
    parser.add_argument("assignment", nargs="?", metavar="NN", help="a notebook's number, or: challenge")
    parser.add_argument("--exercises", nargs="+", metavar="NAME", help="only these (all but the guesses)")
    parser.add_argument("--out", metavar="DIR", help="the folder of the class")
    parser.add_argument("--roster", metavar="CSV", help="a column `student`, perhaps name, email and lms_id: everyone "
                        "gets a model of their own")  # fmt: skip
    parser.add_argument("--key", metavar="FILE", help="what everyone's own is drawn from; keep it secret, and keep it")
    parser.add_argument("--new-key", metavar="FILE", help="make a key file and stop")
    parser.add_argument("--no-hints", action="store_true", help="the assignment gives no hints")
    parser.add_argument("--mend", action="store_true", help="there was a fault in it: release it once more, and keep "
                        "what was released, by which those are graded who have handed it in")  # fmt: skip
    parser.add_argument("--zip", action="store_true", help="also write an archive for each student, in DIR/archives/")
    parser.add_argument("--url", metavar="URL", help="challenge: where students will find the service")
    parser.add_argument("--budget", type=int, metavar="N", help="challenge: records to ask each target about, at most")


def run(options: argparse.Namespace) -> int:
    """Make an assignment, or a key."""
    from mialab.instructor.making import _keys

    if options.new_key:
        _keys.make_key(options.new_key)
        print(f"{options.new_key} is a new key. Keep a copy: without it nothing that is drawn from it can be graded.")
        return 0
    if not options.assignment or not options.out:
        raise ValueError("say which notebook and where, e.g. mialab assign 06 --out try/")
    if options.assignment == "challenge":
        if options.mend:
            raise ValueError("mend: a challenge cannot be released once more; make it in another folder")
        return _assign_challenge(options)
    from mialab.instructor import assign

    made = assign(
        options.assignment,
        options.out,
        exercises=options.exercises,
        roster=options.roster,
        key=options.key,
        hints=not options.no_hints,
        mend=options.mend,
    )
    folder, packed = made.handouts[0].parent.parent, _packed(options, made.handouts)
    if made.left:
        print(f"No longer on the roster, so no longer graded: {', '.join(made.left)}. Their files stay.")
    if made.added:
        new = ", ".join(folder.parent.name for folder in made.handouts)
        print(f"{made.assignment}: new handouts for {new}, in {folder}. Nobody else's changed.{packed}")
        return 0
    which = f", release {made.release}" if made.release > 1 else ""
    print(f"{made.assignment}{which}: {len(made.questions)} questions, {sum(made.questions.values())} points.")
    for name, points in made.questions.items():
        print(f"  {points:>3}  {name}")
    for_whom = f"{len(made.handouts)} students" if options.roster else "everyone"
    print(f"For {for_whom}: {folder}. Hand out these folders and nothing else of {options.out}.{packed}")
    collected, key = Path(options.out) / "submitted", f" --key {options.key}" if options.key else ""
    print(f"Collect into {collected}/STUDENT/{made.assignment}/, then: mialab grade {collected} --out grades/{key}")
    return 0


def _assign_challenge(options: argparse.Namespace) -> int:
    """Make the challenge, which is always personal."""
    from mialab.instructor.challenge._challenge import assign_challenge

    if not options.roster or not options.key:
        raise ValueError("the challenge is personal: give --roster and --key")
    given = {name: value for name in ("url", "budget") if (value := getattr(options, name)) is not None}
    folders = assign_challenge(options.out, roster=options.roster, key=options.key, **given)
    print(
        f"A challenge for {len(folders)} students: {folders[0].parent.parent}. Hand out these folders and nothing "
        f"else of {options.out}.{_packed(options, folders)}\n"
        f"Serve it: mialab serve --challenge {options.out} --instructor-key {options.key}"
    )
    return 0


def _packed(options: argparse.Namespace, folders: list[Path]) -> str:
    """Write the archives that were asked for, and say where they are."""
    if not options.zip:
        return ""
    from mialab.instructor.grading._archives import pack

    place = Path(options.out) / "archives" / folders[0].name
    for folder in folders:
        pack(folder, place / f"{folder.parent.name}.zip")
    return f" As archives: {place}."
