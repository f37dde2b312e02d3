"""Archives: one to hand out to each student, and every file of what a learning-management system gives back.

A name in an archive never becomes a path; it is shown with whatever does not print escaped.
"""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mialab._files import write_whole
from mialab.instructor.grading import _intake

MOST_FILES = 10_000
LARGEST = 512 << 20  # bytes unpacked, all together
MOST_INSIDE, LARGEST_INSIDE = 1000, 4 * _intake.LARGEST  # files and bytes of one hand-in
LEFT_BEHIND = {"__MACOSX", "Thumbs.db", "desktop.ini", ".DS_Store"}  # by whoever packed or unpacked it
SMALL = 1 << 20  # bytes of a file that may be a notebook or scores by another name
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, ValueError, EOFError, RuntimeError,
           MemoryError, LookupError, OverflowError)  # fmt: skip


class Member(NamedTuple):
    """A file of an archive; `content` is None where it was not read, and `why` says why not."""

    parts: tuple[str, ...]  # its folders, the ZIP in which it lies among them, and its own name: never a path
    name: str  # the same, to be shown
    when: str  # it was put into the archive, or the ZIP in which it lies: year-month-dayThh:mm:ss; empty if not told
    content: bytes | None
    why: str = ""


class _Room:
    """What may still be unpacked: files, bytes of notebooks and archives, bytes of what may be either in disguise."""

    def __init__(self) -> None:
        self.files, self.large, self.small = MOST_FILES, LARGEST, LARGEST // 4


def pack(folder: Path, path: Path) -> None:
    """Write an archive of a folder, in which the folder's own name comes first; the same files make the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            about = zipfile.ZipInfo(str(Path(folder.name) / file.relative_to(folder)))
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(about, file.read_bytes())
    write_whole(path, packed.getvalue())


def members(content: bytes) -> list[Member]:
    """Every file of an archive, and in place of a ZIP in it that can be read its files: one deep.

    Raises
    ------
    zipfile.BadZipFile : it is no archive, or its table of contents is damaged; what is wrong with one file in it, or
        one ZIP, that file says
    ValueError : it holds too many files, or notebooks that unpack to too much
    """
    room = _Room()
    with _opened(content) as archive:
        files = _files(archive)
        room.files -= len(files)
        found = [_member(archive, about, room) for about in files if room.files >= 0]
    if min(room.files, room.large) < 0:
        raise ValueError(f"the archive holds more than {MOST_FILES} files or {LARGEST >> 20} MB of notebooks")
    return [one for member in found for one in _inside(member, room)]


def shown(text: str) -> str:
    """A text from outside that can be printed: what moves the cursor, hides or turns the line around is escaped."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:200])
    return safe + ("…" if len(text) > 200 else "")


def _opened(content: bytes) -> zipfile.ZipFile:
    """A ZIP file, open; BadZipFile whatever is wrong with it."""
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except DAMAGED as error:
        raise zipfile.BadZipFile(str(error)) from None


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Everything in it but folders; a folder that has content is a file."""
    return [about for about in archive.infolist() if about.file_size or not about.is_dir()]


def _inside(outer: Member, room: _Room) -> list[Member]:
    """The files of a ZIP in the archive; the ZIP itself, and why, where it cannot be unpacked; else the file itself."""
    content, why = outer.content, "it is a ZIP with nothing in it"
    if content is None or not outer.parts[-1].lower().endswith(".zip"):
        return [outer]
    if content.count(b"PK\x01\x02") > MOST_INSIDE:  # before a table of contents takes all memory
        return [outer._replace(content=None, why=f"it holds more than {MOST_INSIDE} files")]
    try:
        with _opened(content) as archive:
            files = _files(archive)
            size = sum(about.file_size for about in files if ".ipynb" in about.filename.lower())
            if len(files) > room.files or size > min(LARGEST_INSIDE, room.large):
                why = "it unpacks to too much"
            elif files:
                room.files -= len(files)
                return [_member(archive, about, room, outer) for about in files]
    except zipfile.BadZipFile:
        why = "it is damaged" if content[:2] == b"PK" else "it is no ZIP, whatever its name says"
    return [outer._replace(content=None, why=why if content else "it is empty")]


def _member(archive: zipfile.ZipFile, about: zipfile.ZipInfo, room: _Room, outer: Member | None = None) -> Member:
    """One file of an archive, read if it may be an answer and there is room."""
    parts = tuple(part for part in re.split(r"[/\\]", about.filename) if part) or ("",)
    name, kind = shown(about.filename), parts[-1].lower()
    large = ".ipynb" in kind or kind.endswith(".zip")
    content, why = None, ""
    if outer and kind.endswith(".zip"):
        why = "it is a ZIP in a ZIP in the archive"
    elif large or kind.endswith((".json", ".txt", ".csv", ".md")):
        content, why = _read(archive, about, min(LARGEST_INSIDE, room.large) if large else min(SMALL, room.small))
        if large and not outer and room.large < about.file_size <= LARGEST_INSIDE:
            room.large = -1  # the archive as a whole is too large
    size = len(content or b"")
    room.large, room.small = room.large - size * large, room.small - size * (not large)
    if outer:
        return Member((*outer.parts, *parts), f"{outer.name}: {name}", outer.when, content, why)
    when = ""
    with suppress(ValueError):
        when = datetime(*about.date_time).isoformat() if about.date_time[:3] > (1980, 1, 1) else ""
    return Member(parts, name, when, content, why)


def _read(archive: zipfile.ZipFile, about: zipfile.ZipInfo, most: int) -> tuple[bytes | None, str]:
    """The content of a file of an archive, or None and why."""
    if about.flag_bits & 1:
        return None, "it is locked with a password"
    if about.file_size > most:
        return None, "it is too large"
    try:
        with archive.open(about) as file:  # the size that an archive gives may be a lie
            content = file.read(most + 1)
    except NotImplementedError:
        return None, "it is packed in a way that is not read here"
    except DAMAGED:
        return None, "it is damaged"
    return (content, "") if len(content) <= most else (None, "it is too large")
