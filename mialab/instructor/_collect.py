"""Put what a learning-management system gives back where `mialab grade` looks for it, and account for every file.

A notebook says itself whose it is and what it answers; for scores of the challenge the system's name for the file, or
the access key beside it, must. Where the two disagree a person decides.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mialab._files import write_whole
from mialab.instructor.challenge import _challenge
from mialab.instructor.challenge._scores import columns_of
from mialab.instructor.grading import _archives, _collected, _grading
from mialab.instructor.grading._archives import LEFT_BEHIND, Member, shown
from mialab.instructor.grading._senders import Senders, Sent
from mialab.instructor.making import _course, _keys

KEEP = ("ask", "newest")
REPLACED = "replaced"  # below `course/instructor`: hand-ins for which a later one came
_CHECKPOINTS, _CHECKPOINT = ".ipynb_checkpoints", "-checkpoint.ipynb"
_PACKED = (".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz")


class Collected(NamedTuple):
    """What became of every file of an archive: the four lists have as many entries as it held files."""

    placed: list[Path]
    left: list[str]  # not placed: which, from whom as far as it is known, and why
    ignored: list[str]  # nobody's answer: what unpacking and Jupyter leave, the handout's own files, the same again
    older: list[str]  # for which a later one came
    notes: list[str]  # what was odd about a file that was placed
    known: list[_collected.Left]  # of what was not placed: for each whose it may be

    def __str__(self) -> str:
        lines = [f"{len(self.placed)} put into place.", *(f"  {note}" for note in self.notes)]
        if self.older:
            lines += [f"{len(self.older)} older, kept in instructor/{REPLACED}/:", *(f"  {one}" for one in self.older)]
        if self.ignored:
            kinds = Counter(self.ignored).most_common()
            lines += [f"{len(self.ignored)} of no account: {', '.join(f'{n} {kind}' for kind, n in kinds)}."]
        if self.left:
            lines += [f"{len(self.left)} not, look at these yourself:", *(f"  {one}" for one in self.left)]
        return "\n".join(lines)


class _Known(NamedTuple):
    """What is known of the class, and of the archive as a whole."""

    students: set[str]
    assignments: list[str]
    challenge: bool
    handed_out: set[tuple[str, str]]  # name and digest of the files that lie beside a handed-out notebook
    beside: dict[str, set[str]]  # hand-in -> whose access keys are in it
    every: set[tuple[str, ...]]  # the parts of every file


class _Answer(NamedTuple):
    """A file that answers an assignment, and whose it is."""

    member: Member
    sent: Sent
    student: str
    assignment: str
    digest: str


def collect(archive: Path | str, course: Path | str, keep: str = "ask") -> Collected:
    """Put every answer of an archive where `mialab grade` looks for it, and say of every other file why not.

    Nothing that is there is overwritten, and of several for one place none is taken; with keep="newest" the one with
    the archive's latest date is, where the system's names say that all of them come from that student, and the others
    are kept in `course/instructor/replaced/`. When each was handed in goes to `collected.csv` there.

    Raises
    ------
    ValueError : no archive, one that is damaged as a whole or unpacks to too much, a class without a roster, or `keep`
        is neither "ask" nor "newest"
    """
    archive, course = Path(archive), Path(course).absolute()
    if keep not in KEEP:
        raise ValueError(f"keep={keep!r} should be one of: {', '.join(KEEP)}")
    students = _keys.kept_roster(course)
    if not students:
        raise ValueError(f"course={str(course)!r} has no roster, so no notebook says whose it is: unpack it by hand")
    try:
        members = _archives.members(archive.read_bytes())
    except (OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"archive={str(archive)!r} cannot be read ({error}); it should be a ZIP file") from None
    senders = Senders(students, _grading.assignment_names(course))
    around = senders.wrapper([member.parts for member in members])
    sent = [senders.tell(member.parts[around:]) for member in members]
    known = _known(course, [student.id for student in students], members, sent)
    done, places, given = Collected([], [], [], [], [], []), {}, []
    for member, one in zip(members, sent, strict=True):
        if kind := _of_no_account(member, one, known):
            done.ignored.append(kind)
            given += [(member, one)] if kind == one.leaf else []
        elif isinstance(answer := _answer(member, one, known), str):
            _leave(done, member, one, answer, *_whose(member, one, known))
        else:
            places.setdefault((answer.student, answer.assignment), []).append(answer)
    _collected.add(course, [line for answers in places.values() for line in _put(course, answers, keep, done)])
    heard = {one.student for one in done.known} | {one.sent.student for answers in places.values() for one in answers}
    for member, one in given:
        if one.student in known.students - heard:
            done.known.append(_collected.Left(one.student, "", member.name, "nothing but what was handed out"))
    about = {assignment for _, assignment in places}  # a system gives the hand-ins of one assignment to download
    only = about.pop() if len(about) == 1 else ""
    _collected.add(course, [one._replace(assignment=one.assignment or only) for one in done.known], _collected.Left)
    return done


# --- whose and what a file is ----------------------------------------------------------------------------------------


def _known(course: Path, students: list[str], members: list[Member], sent: list[Sent]) -> _Known:
    out = [path for path in (course / "handout").glob("*/*/*") if path.suffix != ".ipynb" and path.is_file()]
    keys = {path.read_text("utf-8").strip(): path.parts[-3] for path in out if path.name == "access.txt"}
    beside: dict[str, set[str]] = {}
    for member, one in zip(members, sent, strict=True):
        if one.leaf == "access.txt" and member.content is not None:
            key = member.content[:1000].decode("utf-8-sig", "replace").strip()
            beside.setdefault(one.hand_in, set()).update({keys[key]} & set(students) if key in keys else ())
    return _Known(
        set(students),
        _grading.assignment_names(course),
        _course.settings_file(course, _challenge.NAME).exists(),
        {(path.name, _digest(path.read_bytes())) for path in out},
        beside,
        {member.parts for member in members},
    )


def _of_no_account(member: Member, sent: Sent, known: _Known) -> str:
    """The kind of a file that is nobody's answer; empty if it may be one."""
    leaf = sent.leaf
    if "__MACOSX" in member.parts or leaf in LEFT_BEHIND or leaf.startswith("._"):
        return "left by packing"
    if member.parts[-2:-1] == (_CHECKPOINTS,) and leaf.endswith(_CHECKPOINT):
        real = (*member.parts[:-2], leaf.removesuffix(_CHECKPOINT) + ".ipynb")
        return "checkpoint" if real in known.every else ""
    return leaf if member.content and (leaf, _digest(member.content)) in known.handed_out else ""


def _answer(member: Member, sent: Sent, known: _Known) -> _Answer | str:
    """What a file answers and for whom, or why it is left."""
    kind = sent.leaf.lower()
    if member.content is None:
        return member.why or _no_answer(kind)
    if not member.content:
        return "it is empty"
    if member.parts[-2:-1] == (_CHECKPOINTS,):
        return "a checkpoint that Jupyter made, without its notebook"
    if _is_scores(kind, member.content):
        return _scores(member, sent, known)
    student, assignment = _named(member.content)
    if student is None and not kind.endswith(".ipynb"):
        return _no_answer(kind)
    if student is None and _is_damaged(member.content):
        return "its JSON is damaged"
    if student not in known.students or assignment not in known.assignments:
        return f"names {shown(student or 'no student')} and {shown(assignment or 'no assignment')}"
    if sent.student not in (None, student):
        return f"this notebook was handed out to {student}"
    return _Answer(member, sent, student, assignment, _digest(member.content))


def _scores(member: Member, sent: Sent, known: _Known) -> _Answer | str:
    """Whose scores of the challenge these are, or why they are left."""
    if not known.challenge:
        return "scores, but this class has no challenge"
    owners = known.beside.get(sent.hand_in, set()) | ({sent.student} if sent.student else set())
    if not owners:
        return "scores, and neither their name nor an access.txt beside them tells whose"
    if len(owners) > 1:
        return f"scores, and the access key beside them is not the sender's: {' or '.join(sorted(owners))}?"
    return _Answer(member, sent, min(owners), _challenge.NAME, _digest(member.content))


def _whose(member: Member, sent: Sent, known: _Known) -> tuple[set[str], str]:
    """Everyone whose a file that is left may be, and the assignment that it is of; empty if that is not known."""
    named, assignment = _named(member.content or b"")
    owners = {sent.student, named}
    if _is_scores(sent.leaf.lower(), member.content or b""):
        owners, assignment = owners | known.beside.get(sent.hand_in, set()), _challenge.NAME
    return owners & known.students, assignment if assignment in [*known.assignments, _challenge.NAME] else ""


def _leave(done: Collected, member: Member, sent: Sent, why: str, owners: set[str], assignment: str) -> None:
    """Say of a file that it is left and why, and note whose it is."""
    done.left.append(f"{_from(member, sent.student)}: {why}")
    done.known.extend(_collected.Left(student, assignment, member.name, why) for student in sorted(owners))


def _is_scores(kind: str, content: bytes) -> bool:
    """Whether a file is scores: by its name, or by its first line, as the challenge reads it."""
    first = (content[:200].decode("utf-8-sig", "replace").splitlines() or [""])[0]
    with suppress(ValueError):
        return kind == "scores.csv" or set(columns_of(first)) - {"", "target"} == {"record", "score"}
    return False


def _no_answer(kind: str) -> str:
    return "only a ZIP is unpacked" if kind.endswith(_PACKED) else "it is neither a notebook nor scores"


def _named(content: bytes) -> tuple[str | None, str | None]:
    """The student and the assignment that a notebook names."""
    try:
        about = json.loads(content.decode("utf-8-sig"))["metadata"]["mialab"]
        return str(about["student"])[:64], str(about["assignment"])[:64]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, None


def _is_damaged(content: bytes) -> bool:
    """Whether a file is no JSON, which a notebook is."""
    try:
        json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return True
    return False


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _from(member: Member, student: str | None) -> str:
    return f"{member.name}, from {student}" if student else member.name


# --- putting into place ----------------------------------------------------------------------------------------------


def _put(course: Path, answers: list[_Answer], keep: str, done: Collected) -> list[_collected.Line]:
    """Put one of the answers for a place there, say what became of the others, and return what to note of it."""
    student, assignment = answers[0].student, answers[0].assignment
    name = "scores.csv" if assignment == _challenge.NAME else f"{assignment}.ipynb"
    path = course / "submitted" / student / assignment / name
    different = _different(answers, done)
    there = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    lies = "" if there is None else _digest(there)
    taken, why = _choose(course, different, lies, keep)
    if path.is_symlink() or path.is_dir():
        why = f"what is called {name} in {student}/{assignment}/ is no file"
    if why:
        for one in different:
            _leave(done, one.member, one.sent, why, {student}, assignment)
        return []
    if lies not in ("", taken):
        _set_aside(course, student, assignment, name, there)
        done.notes.append(f"{student}/{assignment}/: what lay there is now in instructor/{REPLACED}/")
    lines = []
    for one in different:
        if one.digest != taken:
            _set_aside(course, student, assignment, name, one.member.content)
            done.older.append(_from(one.member, student))
            continue
        if lies != taken:
            write_whole(path, one.member.content)
        if not one.sent.leaf.lower().endswith(path.suffix):
            done.notes.append(f"{_from(one.member, student)}: taken, though its name does not end in {path.suffix}")
        done.placed.append(path)
        late = "LATE" if one.sent.late else ""
        lines.append(_collected.Line(student, assignment, one.member.name, one.member.when, late, taken[:12]))
    return lines


def _choose(course: Path, different: list[_Answer], lies: str, keep: str) -> tuple[str, str]:
    """The digest of the answer that is to lie in a place, and why none is to be put there."""
    student, assignment = different[0].student, different[0].assignment
    every = {one.digest: one.member.when for one in different}
    if len(every.keys() | {lies} - {""}) == 1:
        return different[0].digest, ""
    place = f"{student}/{assignment}/"
    why = f"one of several for {place}" if len(different) > 1 else f"another one lies in {place} already"
    if keep == "ask":
        return "", why
    if assignment != _challenge.NAME and not all(one.sent.student for one in different):
        return "", f"{why}, and the archive does not tell that it comes from {student}"
    if lies:
        noted = {line.sha256: line.when for line in _collected.read(course) if line[:2] == (student, assignment)}
        every.setdefault(lies, noted.get(lies[:12], ""))
    latest = [digest for digest, when in every.items() if when == max(every.values())]
    if len(latest) > 1 or "" in every.values():
        return "", f"{why}, and the dates do not tell which is the latest"
    return latest[0], ""


def _different(answers: list[_Answer], done: Collected) -> list[_Answer]:
    """The answers, each content once: from the sender who is known, and with the earliest date."""
    kept: dict[str, _Answer] = {}
    for one in sorted(answers, key=lambda a: (a.sent.student is None, a.member.when)):
        first = kept.setdefault(one.digest, one)
        if first is not one and (one.sent.student or one.sent.hand_in == first.sent.hand_in):
            done.ignored.append("the same again")
        elif first is not one:
            done.left.append(
                f"{one.member.name}: byte for byte {first.member.name}, which names {one.student}: who sent it?"
            )
    return list(kept.values())


def _set_aside(course: Path, student: str, assignment: str, name: str, content: bytes) -> None:
    """Keep a hand-in that another took the place of, once, under the next free number."""
    n = 1
    while (path := course / "instructor" / REPLACED / student / assignment / f"{name}.before-{n}").exists():
        if path.read_bytes() == content:
            return
        n += 1
    write_whole(path, content)
