#!/usr/bin/env python3
"""Install, open and prove the course: `python run.py lab`, `python run.py test`. Standard library only.

The syntax is kept to what old Pythons can parse, so that each of them can say that it is too old.
"""

from __future__ import print_function

import os
import subprocess
import sys

FLOOR = (3, 11)


def too_old(version, words):
    """Return the sentence for a Python below the floor; it names a newer one if this machine has one."""
    verb = words[0] if words else "lab"
    fix = "Install Python %d.%d or newer (python.org has it for every system), then try again." % FLOOR
    for minor in range(20, FLOOR[1] - 1, -1):
        name = "python%d.%d" % (FLOOR[0], minor)
        if starts(name):
            fix = "This machine has %s: run `make %s PYTHON=%s`, or `%s run.py %s`." % (name, verb, name, name, verb)
            break
    return "Python %d.%d is too old: the course needs %d.%d or newer. " % (tuple(version[:2]) + FLOOR) + fix


def starts(command):
    """Tell whether a command is there and runs."""
    with open(os.devnull, "w") as nowhere:
        try:
            return subprocess.call([command, "-c", ""], stdout=nowhere, stderr=nowhere) == 0
        except OSError:
            return False


if sys.version_info < FLOOR:
    sys.exit(too_old(sys.version_info, sys.argv[1:]))

import errno
import hashlib
import importlib.util
import json
import re
import shutil
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
PYPROJECT = ROOT / "pyproject.toml"
ROOM = 2 * 10**9  # bytes that must be free before anything is installed: all parts, and the downloads on their way
PROMISE = "about 45 seconds on a quick line, 800 MB"  # seen: 37 s and 778 MB, two quiet cores, nothing cached
LOG = "setup.log"
STAMP = "mialab-setup.json"
NO_ROOM = ("No space left on device", "os error 28", "Errno 28", "not enough space", "os error 112")
NO_NETWORK = (
    "NewConnectionError",
    "Failed to establish a new connection",
    "name resolution",
    "NameResolutionError",
    "getaddrinfo",
    "dns error",
    "Network is unreachable",
    "Connection refused",
    "ConnectTimeout",
    "ReadTimeout",
    "timed out",
    "ProxyError",
    "SSLError",
    "error sending request",
    "Failed to fetch",
    "Could not connect",
    "Max retries exceeded",
)
BAD_HASH = ("DO NOT MATCH THE HASHES", "Hash mismatch")


class Trouble(Exception):
    """Something that the user can mend: the message says what is wrong and what to do."""


def main(words):
    """Run one command and return its exit code; every foreseen failure is a sentence, never a traceback."""
    if not words or words[0] not in VERBS:
        print("Use: python run.py COMMAND, where COMMAND is one of")
        for verb, action in VERBS.items():
            print("  %-10s %s" % (verb, action.__doc__.splitlines()[0]))
        return 0 if words in ([], ["-h"], ["--help"], ["help"]) else 2
    verb, rest = words[0], words[1:]
    # In a log our words stand before those of what we start; a folder's name may hold what a terminal cannot show.
    sys.stdout.reconfigure(line_buffering=True, errors="replace")
    sys.stderr.reconfigure(errors="replace")
    try:
        return VERBS[verb](rest)
    except Trouble as trouble:
        print("\n%s" % trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno == errno.ENOSPC:
            print("\n%s" % full_disk(), file=sys.stderr)
        else:
            print("\nThe system refused: %s. Mend that, then run the same command again." % error, file=sys.stderr)
        return 1


# --- the environment ------------------------------------------------------------


def prepare(*parts):
    """Install the library and these of pyproject's extras into .venv, unless they are there."""
    wanted, found = fingerprint(), read_stamp(VENV) or {}
    have = found.pop("parts", [])
    if found == wanted and set(parts) <= set(have):
        return
    started = time.monotonic()
    check_room()
    check_venv_module()
    (VENV / STAMP).unlink(missing_ok=True)
    # Without a stamp an earlier set-up was cut short, and what it left cannot be told from what is whole.
    if all(found.get(key) == wanted[key] for key in ("python", "folder")) and works(VENV):
        print("Bringing .venv up to date: %s." % (", ".join(sorted(set(parts) - set(have))) or "other versions"))
    else:
        print("Setting up the course in %s: once, %s." % (VENV, PROMISE))
        have = []
        say("An empty environment")
        make_venv(VENV)
    parts = install(VENV, sorted(set(parts) | set(have)))
    say("The course itself, and the list of this machine's fonts")
    install_course(VENV)
    # matplotlib's list of fonts takes seconds to make: here, rather than in the learner's first figure.
    quietly([venv_python(VENV), "-c", "import matplotlib.font_manager"])
    (VENV / STAMP).write_text(json.dumps(dict(wanted, parts=parts), indent=1), encoding="utf-8")
    print("Ready in %.0f s." % (time.monotonic() - started))


def say(step):
    """Print what is being done now, as a line of its own."""
    print("  %s ..." % step)


def extras():
    """Return every extra of pyproject.toml."""
    with open(PYPROJECT, "rb") as file:
        return sorted(tomllib.load(file)["project"]["optional-dependencies"])


def fingerprint():
    """Return what an installed .venv depends on; a set-up is done over when any of it has changed."""
    with open(PYPROJECT, "rb") as file:
        pyproject = tomllib.load(file)
    parts = json.dumps([pyproject["build-system"], pyproject["project"]], sort_keys=True).encode()
    return {
        "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
        "project": hashlib.sha256(parts).hexdigest(),
        "python": sys.version,
        "folder": str(VENV),  # an environment holds absolute paths, so a moved folder needs a new one
    }


def read_stamp(venv):
    """Return the fingerprint that the last finished set-up left, or None."""
    try:
        found = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and Path(venv_python(venv)).exists() else None


def venv_python(venv):
    """Return the path of an environment's interpreter."""
    return str(venv / "Scripts" / "python.exe") if os.name == "nt" else str(venv / "bin" / "python")


def works(venv):
    """Tell whether an environment's interpreter starts and has a pip."""
    return quietly([venv_python(venv), "-c", "import pip"]) == 0


def quietly(command):
    """Run a command without a word and return its exit code, or None where it cannot be started."""
    try:
        return subprocess.run(
            command,
            env=clean_environment(),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode
    except OSError:
        return None


def clean_environment(**extra):
    """Return this process's environment without what would leak into, or slow down, the course's own."""
    # Without byte-code every kernel would pay seconds of compiling at each start.
    unwanted = (
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
        "PIP_REQUIRE_VIRTUALENV",
    )
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return dict(kept, **extra)


def check_room():
    """Raise Trouble unless the disk can take an environment."""
    free = shutil.disk_usage(ROOT).free
    if free < ROOM:
        raise Trouble(full_disk(free))


def full_disk(free=None):
    """Return the sentence for a full disk."""
    left = "" if free is None else " (%.1f GB free)" % (free / 1e9)
    return "The disk is full%s: the course needs %.0f GB. Free some space, then run the same command again." % (
        left,
        ROOM / 1e9,
    )


def check_venv_module():
    """Raise Trouble where Python came without what makes environments, as Debian's does."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise Trouble(
            "This Python (%s) has no %s, so it cannot make an environment. On Debian or Ubuntu run `sudo apt "
            "install python%d.%d-venv`; elsewhere install Python from python.org. Then run the same command "
            "again." % (sys.executable, " and no ".join(missing), sys.version_info[0], sys.version_info[1])
        )


def make_venv(venv):
    """Make an empty environment, replacing whatever is there."""
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        env=clean_environment(),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise Trouble(diagnosis("Python could not make the environment %s" % venv, done.stdout))


def install(venv, parts):
    """Install the library with these extras, each file checked by the lock's hashes; return the extras now there.

    uv does it, and is installed first where it is not on the path. Should it fail (it brings its own certificates,
    which some companies' networks refuse), pip installs the whole lock.
    """
    python = venv_python(venv)
    uv = find_uv(venv) or install_uv(venv)
    if uv:
        say("The packages, %s" % ", ".join(["library"] + parts))
        wanted = [word for part in parts for word in ("--extra", part)]
        words = ["--compile-bytecode", "--require-hashes", "-c", str(LOCK), "-r", str(PYPROJECT)] + wanted
        code, _ = watch([uv, "pip", "install", "--python", python] + words, venv)
        if code == 0:
            return parts
    say("uv could not install them; pip installs all that the lock has, which takes minutes")
    words = ["--progress-bar", "off", "--compile", "--require-hashes", "-r", str(LOCK)]
    code, output = watch(pip_install(python) + words, venv)
    if code != 0:
        raise Trouble(diagnosis("The course's requirements could not be installed", output))
    return extras()


def find_uv(venv):
    """Return the path of the environment's uv, or of the machine's, or None."""
    return shutil.which("uv", path=str(Path(venv_python(venv)).parent)) or shutil.which("uv")


def install_uv(venv):
    """Install the uv that the lock names, checked by its hashes; return its path, or None where that fails."""
    say("The installer, uv")
    pinned = re.search(r"^uv==.*\n(?:[ \t]+.*\n)*", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    if pinned is None:
        return None
    only = venv / "uv.lock"
    only.write_text(pinned.group(), encoding="utf-8")
    watch(pip_install(venv_python(venv)) + ["--require-hashes", "-r", str(only)], venv)
    return find_uv(venv)


def install_course(venv):
    """Install mialab in place; it comes second because no hash can be asked of a folder."""
    python, in_place = venv_python(venv), ["--no-deps", "--editable", str(ROOT)]
    uv = find_uv(venv)
    if uv:
        words = ["--build-constraints", str(LOCK), "--require-build-hashes"]
        code, output = watch([uv, "pip", "install", "--python", python] + words + in_place, venv)
    if not uv or code != 0:
        code, output = watch(pip_install(python) + ["--no-build-isolation"] + in_place, venv)
    if code != 0:
        raise Trouble(diagnosis("The package mialab could not be installed", output))


def pip_install(python):
    """Return the command line that every use of pip begins with."""
    return [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def watch(command, venv):
    """Run a command, log what it prints, show one moving line on a terminal: (exit code, output)."""
    lines = []
    show = sys.stdout.isatty()
    process = subprocess.Popen(
        command,
        env=clean_environment(),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        with open(venv / LOG, "a", encoding="utf-8") as log:
            for line in process.stdout:
                lines.append(line)
                log.write(line)
                if show:
                    print("\r  %-78.78s" % line.strip(), end="", flush=True)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if show:
            print("\r%80s\r" % "", end="", flush=True)
    return code, "".join(lines)


def diagnosis(what, output):
    """Turn a tool's output into one sentence with the fix."""
    if any(sign in output for sign in NO_ROOM):
        return full_disk()
    if any(sign in output for sign in BAD_HASH):
        return (
            what + ": a downloaded file is not the one that requirements.lock names. Run the same "
            "command again; if it happens again, something between you and the registry changes files."
        )
    if any(sign in output for sign in NO_NETWORK):
        return (
            what + ": the package registry did not answer. Check the network (and your proxy or mirror, "
            "if you use one), then run the same command again."
        )
    last = [line.strip() for line in output.splitlines() if line.strip()][-3:]
    return "%s: %s\nThe whole output is in %s; run the same command again to retry." % (
        what,
        " / ".join(last) or "no reason was given",
        VENV / LOG,
    )


# --- the verbs ------------------------------------------------------------


def setup(rest):
    """Install the course into .venv; further words name more parts: instructor, site, test."""
    unknown = [word for word in rest if word not in extras()]
    if unknown:
        raise Trouble("There is no part %r: the parts are %s." % (unknown[0], ", ".join(extras())))
    prepare("course", *rest)
    print("Run `make lab` (or `python run.py lab`) to open it.")
    return 0


def lab(rest):
    """Open JupyterLab on your copies of the notebooks."""
    prepare("course")
    return mialab("lab", rest)


def doctor(rest):
    """Check this machine: each requirement OK, or FAIL with the fix; it needs nothing installed."""
    python = venv_python(VENV) if works(VENV) else sys.executable
    return become([python, "-m", "mialab", "doctor"] + rest, PYTHONPATH=str(ROOT))


def progress(rest):
    """Show what you have answered so far."""
    if not works(VENV):  # what only looks should install nothing
        raise Trouble("There is no working .venv yet: run `make lab` (or `python run.py lab`) first.")
    return mialab("progress", rest)


def mialab(verb, rest):
    """Become the command mialab of .venv, which is not on the path."""
    return become([venv_python(VENV), "-m", "mialab", verb] + rest)


def become(command, **extra):
    """Replace this process by the command, so that Ctrl-C and the exit code are the command's own."""
    environment = clean_environment(**extra)
    if os.name != "nt":
        sys.stdout.flush()
        os.execve(command[0], command, environment)
    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the command has had it too, and decides


def test(rest):
    """Prove the course: style, tests, notebooks; further words go to pytest."""
    started = time.monotonic()
    prepare(*extras())
    style, tests = run_tests(VENV, rest, started)
    return tests or style


def quick(rest):
    """Check style and units in two minutes: no browser, no sandbox, no notebook, nothing long."""
    paths = [] if any((ROOT / word.split("::")[0]).exists() for word in rest) else ["tests"]
    return test(["-m", "not (browser or sandbox or long)"] + rest + paths)


def run_tests(venv, rest, started):
    """Run the style check and pytest in an environment, print one line, return both exit codes."""
    python = venv_python(venv)
    env = clean_environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    env.pop("MIALAB_WORKBOOK", None)  # whose answers would run in the notebooks
    print("ruff: ", end="", flush=True)
    style = subprocess.run([python, "-m", "ruff", "check", "."], cwd=ROOT, env=env, check=False).returncode
    words = [python, "-m", "pytest"] + pytest_words(rest)
    tests = subprocess.run(words, cwd=ROOT, env=env, check=False).returncode
    print(
        "Style %s, tests %s, %.0f s in all."
        % ("ok" if style == 0 else "FAILED", "ok" if tests == 0 else "FAILED", time.monotonic() - started)
    )
    return style, tests


def pytest_words(rest):
    """Return pytest's arguments: all tests, and every notebook run and compared, unless paths are given."""
    words = ["-n", "2", "--dist", "loadfile"]
    paths = [word for word in rest if not word.startswith("-") and (ROOT / word.split("::")[0]).exists()]
    if not paths:
        paths = ["tests", "notebooks"]
        rest = rest + paths
    if any(path.startswith("notebooks") for path in paths):
        words += ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "240", "-p", "tests.beside_nbval"]
        words += ["--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
    return words + rest


def notebooks(rest):
    """Run the notebooks again and keep their outputs."""
    prepare(*extras())
    return script(ROOT / "tests" / "refresh_notebooks.py", rest)


def script(path, words):
    """Run one of the course's own scripts in .venv and return its exit code."""
    return subprocess.run(
        [venv_python(VENV), str(path)] + words, cwd=ROOT, env=clean_environment(), check=False
    ).returncode


def site(rest):
    """Build the course as static pages in .site/html."""
    prepare("course", "site")
    code = script(ROOT / ".ci" / "site" / "build.py", rest)
    if code == 0:
        print("Open %s in a browser." % (ROOT / ".site" / "html" / "index.html"))
    return code


def bench(rest):
    """Time what must be fast: every tests/bench_*.py."""
    prepare(*extras())
    codes = []
    for path in sorted((ROOT / "tests").glob("bench_*.py")):
        print("== %s" % path.name, flush=True)
        codes.append(script(path, rest))
    return max(codes, default=0)


def lock(rest):
    """Pin the dependencies again in requirements.lock."""
    return upkeep("lock", rest)


def newest(rest):
    """Test with the newest releases that pyproject.toml allows: a report, never a failure."""
    return upkeep("newest", rest)


def floors(rest):
    """Test with the oldest releases that pyproject.toml allows: a report, never a failure."""
    return upkeep("floors", rest)


def upkeep(verb, rest):
    """Hand over to .ci/upkeep.py, which holds what only those who keep the course need."""
    prepare(*extras())
    return script(ROOT / ".ci" / "upkeep.py", [verb] + rest)


def clean(rest):
    """Remove the environments (never your work in workbook/)."""
    for venv in ROOT.glob(".venv*"):
        shutil.rmtree(venv)
        print("removed %s" % venv.name)
    return 0


ACTIONS = (setup, lab, test, quick, doctor, progress, notebooks, site, bench, lock, newest, floors, clean)
VERBS = {action.__name__: action for action in ACTIONS}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
