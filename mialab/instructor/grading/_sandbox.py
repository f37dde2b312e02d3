"""Run a student's notebook where it can harm nothing: bubblewrap around it, limits on it, a watch over it.

Inside there is no network, no other process, and nothing to write to but one folder. Of the package's `exercises`
only the hand-out and what a check is are there: the chapters and `_cases/`, which have the answers, are not.
The watch ends whatever takes too much time, memory, processes or disk.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import site
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mialab
from mialab._files import data_folder

HOME = "/grading"  # the one folder that can be written to, as it is named inside
_PACKAGE = Path(mialab.__file__).resolve().parent
_EXERCISES = _PACKAGE / "exercises"
_NO_ANSWERS = ("__init__.py", "handout.py", "_engine")  # what a student's notebook needs of that folder
_SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives")
MOST_FILES, DEEPEST = 20_000, 60  # more files, or folders in one another, are a bomb
_UIDS = range(61184, 65520)  # who runs inside where the grader is root, for whom limits do not hold
_WORLDS = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    seconds: float = 90.0
    cell: float = 35.0  # seconds for one cell: more than both checks of an endless answer get by the clock
    memory: int = 2 << 30  # bytes, all processes together
    processes: int = 80  # threads counted too
    file: int = 64 << 20  # bytes in one file
    disk: int = 128 << 20  # bytes in the folder


class Ended(NamedTuple):
    """How a run ended: its exit code, or why it was ended."""

    code: int
    why: str  # "" if it ended by itself; else "time", "memory", "processes" or "disk"
    said: str  # the end of what it printed


def missing() -> str:
    """Why there can be no sandbox here, and what to do; "" if all is well."""
    if shutil.which("bwrap") is None or shutil.which("prlimit") is None:
        return (
            "bubblewrap is not installed, so students' notebooks would run as you, with all that you may do. "
            "Install it (Debian, Ubuntu: sudo apt install bubblewrap; Fedora: sudo dnf install bubblewrap), or grade "
            "in a Linux virtual machine"
        )
    trial = ["bwrap", *_walls(None), *_inner(_UIDS[0], Limits()), "sh", "-c", "true & wait"]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False)
    if tried.returncode:
        return (
            f"bubblewrap cannot make a sandbox here ({tried.stderr.strip()[:200]}). It needs Linux 5.14 or later and "
            "user namespaces: a container must allow them, and Ubuntu 24.04 does with "
            "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`. Or grade in a Linux virtual machine"
        )
    return ""


def run(folder: Path, module: str, words: Sequence[str], *, limits: Limits, sandboxed: bool) -> Ended:
    """Run `python -m module words` with `folder` as its one place."""
    python = [os.path.abspath(sys.executable), "-P", "-m", module, *words]  # inside there may be nothing to go up from
    if sandboxed:
        uid = random.SystemRandom().choice(_UIDS)  # one's own in each run, so that its processes are counted alone
        _hand_over(folder, uid)
        command = ["bwrap", *_walls(folder), *_inner(uid, limits), *python]
        environment, cwd = {"PATH": os.defpath}, None
    else:
        command = [*_bounds(limits), *python]
        environment, cwd = {**os.environ, **_variables(folder)}, folder
    printed = folder.with_name("printed.txt")  # not in the folder, where it could be made a link to something else
    with open(printed, "wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=environment,
            cwd=cwd,
            start_new_session=True,
        )
    try:
        why = _watch(process, folder, limits)
    finally:
        _end(process)
    with open(printed, "rb") as file:
        file.seek(max(0, printed.stat().st_size - 4000))
        return Ended(process.returncode, why, file.read().decode("utf-8", "replace"))


# --- the walls -------------------------------------------------------------------------------------------------------


def _walls(folder: Path | None) -> list[str]:
    """bubblewrap's words: what is seen inside, and that nothing else is."""
    root = os.geteuid() == 0
    words = [
        *(_WORLDS if root else ["--unshare-all"]),
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--hostname",
        "grader",
    ]
    for path in _SYSTEM:
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.exists(path):
            words += ["--ro-bind", path, path]
    words += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(256 << 20), "--tmpfs", "/tmp"]
    words += ["--perms", "1777", "--size", str(64 << 20), "--tmpfs", "/dev/shm"]
    shown = [*_python_folders(), str(_PACKAGE), str(data_folder())]
    for parent in sorted({str(parent) for path in shown for parent in Path(path).parents} - {"/", "/tmp", *_SYSTEM}):
        words += ["--perms", "0755", "--dir", parent]  # bwrap would make them for root alone
    for path in shown:
        words += ["--ro-bind", path, path]
    words += ["--perms", "0755", "--tmpfs", str(_EXERCISES)]  # whatever lies there has answers in it, but for these
    for path in (_EXERCISES / name for name in _NO_ANSWERS):
        words += ["--ro-bind", str(path), str(path)]
    if folder is not None:
        words += ["--bind", str(folder), HOME, "--chdir", HOME]
        for name, value in _variables(Path(HOME)).items():
            words += ["--setenv", name, value]
    if root:  # what setpriv needs to become someone else, who can have nothing back
        words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return words


def _python_folders() -> list[str]:
    """Where Python and its installed packages are, without what lies inside another or in the system's own.

    Not `sys.path`: it may name the folder that one happens to grade in.
    """
    packages = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    folders = {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, *packages) if os.path.isdir(p)}
    folders.add(os.path.abspath(sys.prefix))
    known = [*folders, *(p for p in _SYSTEM if not os.path.islink(p))]
    return sorted(p for p in folders if not any(p != other and Path(p).is_relative_to(other) for other in known))


def _variables(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{os.path.dirname(os.path.abspath(sys.executable))}:{os.defpath}",
        "HOME": str(folder),
        "MIALAB_SANDBOX": str(folder),
        "IPYTHONDIR": str(folder / ".ipython"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"PYTHONUSERBASE": site.getuserbase()} if site.ENABLE_USER_SITE else {"PYTHONNOUSERSITE": "1"}),
        "LANG": "C.UTF-8",
    }


def _bounds(limits: Limits) -> list[str]:
    return ["prlimit", f"--fsize={limits.file}", f"--as={4 * limits.memory}", "--core=0", "--nofile=512"]


def _inner(uid: int, limits: Limits) -> list[str]:
    """The last words before Python, said inside, where no process counts but those of the sandbox."""
    bounds = [*_bounds(limits), f"--nproc={limits.processes}"]
    if os.geteuid() != 0:
        return bounds
    nobody = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs"]
    return ["setpriv", *nobody, "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", *bounds]


def _hand_over(folder: Path, uid: int) -> None:
    """Give the folder to whoever runs inside."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, uid, uid, follow_symlinks=False)


# --- the watch -------------------------------------------------------------------------------------------------------


def _watch(process: subprocess.Popen, folder: Path, limits: Limits) -> str:
    """Wait for the end, and say why it must come now, if it must."""
    end = time.monotonic() + limits.seconds
    while True:
        try:
            process.wait(0.1)
            return ""
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() > end:
            return "time"
        n, memory, hidden = _use(process.pid)
        if n > limits.processes:
            return "processes"
        if memory > limits.memory:
            return "memory"
        if _size(folder) + hidden > limits.disk:
            return "disk"


def _use(root: int) -> tuple[int, int, int]:
    """Threads, resident bytes and bytes in open files without a name, of a process and all that came from it."""
    parents, use = {}, {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/stat", encoding="ascii", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            use[int(entry.name)] = int(fields[17]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    mine = {root}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    used = [use[pid] for pid in mine if pid in use]
    return sum(n for n, _ in used), sum(memory for _, memory in used), sum(_nameless(mine).values())


def _nameless(processes: set[int]) -> dict[tuple[int, int], int]:
    """(device, number) -> bytes, of files that some processes hold open and no folder holds: deleted, or in memory."""
    found = {}
    for process in processes:
        with suppress(OSError), os.scandir(f"/proc/{process}/fd") as handles:
            for handle in handles:
                with suppress(OSError):
                    about = handle.stat()
                    if about.st_nlink == 0 and stat.S_ISREG(about.st_mode):
                        found[about.st_dev, about.st_ino] = about.st_blocks * 512
    return found


def _size(folder: Path) -> int:
    """Bytes in a folder; more than there can be where it holds too many files, or cannot be looked through."""
    total, found, todo = 0, 0, [(str(folder), 0)]
    while todo:
        base, depth = todo.pop()
        try:
            with os.scandir(base) as entries:
                for entry in entries:
                    found += 1
                    if found > MOST_FILES or depth > DEEPEST:
                        return sys.maxsize
                    with suppress(FileNotFoundError):  # deleted meanwhile
                        about = entry.stat(follow_symlinks=False)
                        total += about.st_blocks * 512
                        todo += [(entry.path, depth + 1)] if stat.S_ISDIR(about.st_mode) else []
        except FileNotFoundError:
            continue
        except OSError:
            return sys.maxsize
    return total


def remove(folder: Path) -> None:
    """Delete a folder, whatever was made in it: Python's own way fails at a thousand folders in one another."""
    for words in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):  # a student may have closed folders
        if folder.exists():
            subprocess.run([*words, "--", folder], stderr=subprocess.DEVNULL, check=False)


def _end(process: subprocess.Popen) -> None:
    """Kill what is left; with bubblewrap's first process its whole world goes."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
