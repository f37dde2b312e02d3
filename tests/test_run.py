"""run.py: old Pythons, set-ups that were cut short, and the sentences that it says when something is wrong."""

import ast
import errno
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
Usage = namedtuple("Usage", "total used free")


def load_run(folder: Path):
    """Import the run.py of a folder under a name of its own."""
    spec = importlib.util.spec_from_file_location("course_run", folder / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- run.py on Pythons that are too old ---------------------------------------------------------------------


def old_pythons() -> list[str]:
    names = ["python2.7", *(f"python3.{minor}" for minor in range(6, 11))]
    folders = sorted(Path.home().glob(".pyenv/versions/*/bin"))
    found = [str(folder / name) for folder in folders for name in names if (folder / name).exists()]
    return found + [path for name in names if (path := shutil.which(name)) and "shims" not in path]


@pytest.mark.long
@pytest.mark.parametrize("python", old_pythons() or [None], ids=lambda path: path and Path(path).name)
def test_an_old_python_gets_one_sentence(python, tmp_path):
    if python is None:
        pytest.skip("no Python below 3.11 on this machine; the syntax test below still holds")
    shutil.copy(ROOT / "run.py", tmp_path)
    command = [python, "run.py", "lab"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"Python [23]\.\d+ is too old: the course needs 3\.11 or newer\. .+\n", done.stderr)


def test_run_has_only_syntax_that_python_2_can_parse():
    text = (ROOT / "run.py").read_text("utf-8")
    text.encode("ascii")
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr | ast.AsyncFunctionDef)
        if isinstance(node, ast.FunctionDef):
            assert not node.args.kwonlyargs
            assert not node.returns
            assert not any(argument.annotation for argument in node.args.args)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            assert not any(isinstance(element, ast.Starred) for element in node.elts), ast.unparse(node)
        if isinstance(node, ast.Dict):
            assert None not in node.keys, ast.unparse(node)
        if isinstance(node, ast.Raise):
            assert node.cause is None
    assert not re.search(r"\d_\d", text)


def test_the_sentence_names_a_newer_python_that_runs(monkeypatch):
    run = load_run(ROOT)
    monkeypatch.setattr(run, "starts", lambda name: name == "python3.12")
    assert "make test PYTHON=python3.12" in run.too_old((3, 9, 1), ["test"])
    monkeypatch.setattr(run, "starts", lambda name: False)
    assert "Install Python 3.11 or newer" in run.too_old((2, 7, 18), [])
    assert not load_run(ROOT).starts("no-such-python")


# --- an interrupted, stale or moved set-up ------------------------------------------------------------------


EXTRAS = "[project.optional-dependencies]\ncourse = []\nsite = []\ntest = []\n"


class Course:
    """A small copy of the course's root whose slow steps are replaced by entries in a diary."""

    def __init__(self, folder: Path):
        folder.mkdir()
        shutil.copy(ROOT / "run.py", folder)
        (folder / "requirements.lock").write_text("numpy==1 \\\n    --hash=sha256:0\n")
        (folder / "pyproject.toml").write_text("[build-system]\n[project]\nname = 'x'\n" + EXTRAS)
        self.folder, self.diary, self.fail_at, self.healthy, self.verb = folder, [], None, True, "setup"
        self.run = load_run(folder)
        self.run.make_venv = self.make_venv
        self.run.install = lambda venv, parts: self.note("install", parts) or parts
        self.run.install_course = lambda venv: self.note("course")
        self.run.works = lambda venv: self.healthy
        self.run.quietly = lambda command: 0

    def note(self, what, parts=()):
        self.diary.append(what)
        if what == "install":
            self.parts = parts
        if what == self.fail_at:
            raise KeyboardInterrupt

    def make_venv(self, venv):
        shutil.rmtree(venv, ignore_errors=True)
        python = Path(self.run.venv_python(venv))
        python.parent.mkdir(parents=True)
        python.write_text("")
        self.note("venv")

    def setup(self, *words: str) -> list[str]:
        self.diary.clear()
        self.code = self.run.main([self.verb, *words])
        return list(self.diary)


@pytest.fixture
def small(tmp_path):
    return Course(tmp_path / "course")


EVERYTHING = ["venv", "install", "course"]


def test_a_learner_gets_the_course_and_other_parts_are_added_when_they_are_asked_for(small, capsys):
    assert small.setup() == EVERYTHING
    assert small.parts == ["course"]
    assert small.setup("site") == ["install", "course"]
    assert small.parts == ["course", "site"], "what is there stays"
    assert small.setup("site") == small.setup() == []
    assert small.code == 0
    assert small.setup("test") == ["install", "course"]
    assert small.parts == ["course", "site", "test"]
    assert small.setup("sight") == []
    assert small.code == 1
    assert "There is no part 'sight': the parts are course, site, test." in capsys.readouterr().err


def test_make_test_installs_every_part(small):
    small.run.run_tests = lambda venv, rest, started: (0, 0)
    small.verb = "test"
    assert small.setup() == EVERYTHING
    assert small.parts == ["course", "site", "test"]


@pytest.mark.parametrize("uv", ["uv", None])
def test_every_file_is_checked_by_the_locks_hashes(small, monkeypatch, uv):
    """uv's --require-hashes also refuses a package that the lock, its constraint, does not have."""
    real, ran = load_run(small.folder), []
    monkeypatch.setattr(real, "find_uv", lambda venv: uv)
    monkeypatch.setattr(real, "watch", lambda command, venv: ran.append(command) or (0, ""))
    real.install(real.VENV, ["course"])
    real.install_course(real.VENV)
    packages, itself = ran
    assert "--require-hashes" in packages and packages[packages.index("-c" if uv else "-r") + 1] == str(real.LOCK)
    assert "--no-deps" in itself and ("--require-build-hashes" if uv else "--no-build-isolation") in itself
    assert "--no-verify-hashes" not in packages + itself


def test_uv_comes_from_the_lock_with_its_hashes(small, monkeypatch):
    pinned = "uv==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"
    (small.folder / "requirements.lock").write_text("tqdm==1 \\\n    --hash=sha256:0\n" + pinned + "xyz==1\n")
    small.run.VENV.mkdir()
    ran = []
    monkeypatch.setattr(small.run, "watch", lambda command, venv: ran.append(command) or (0, ""))
    monkeypatch.setattr(small.run, "find_uv", lambda venv: "uv" if ran else None)
    assert load_run(ROOT).find_uv(ROOT / "nowhere") == shutil.which("uv")
    assert small.run.install_uv(small.run.VENV) == "uv"
    assert ran[0][-3:-1] == ["--require-hashes", "-r"]
    assert Path(ran[0][-1]).read_text() == pinned


def test_only_a_set_up_that_opens_nothing_says_how_to_open_it(small, capsys):
    last = "Run `make lab` (or `python run.py lab`) to open it.\n"
    small.setup()
    assert re.search(r"^Ready in \d+ s\.\n" + re.escape(last) + r"\Z", capsys.readouterr().out, re.MULTILINE)
    small.setup()
    assert capsys.readouterr().out == last
    became = []
    small.run.become = lambda command: became.append(command[1:]) or 0
    small.verb = "lab"
    small.setup()
    assert capsys.readouterr().out == ""
    assert became == [["-m", "mialab", "lab"]]


def test_the_doctor_needs_nothing_installed(small):
    became = []
    small.run.become = lambda command, **extra: became.append((command, extra)) or 3
    small.verb, small.healthy = "doctor", False
    assert small.setup() == []
    small.healthy = True
    assert small.setup() == []
    pythons = [sys.executable, small.run.venv_python(small.run.VENV)]
    assert became == [([p, "-m", "mialab", "doctor"], {"PYTHONPATH": str(small.folder)}) for p in pythons]


def test_looking_installs_nothing(small, capsys):
    became = []
    small.run.become = lambda command: became.append(command[1:]) or 3
    small.verb, small.healthy = "progress", False
    assert small.setup() == became == []
    assert small.code == 1
    assert capsys.readouterr().err == (
        "\nThere is no working .venv yet: run `make lab` (or `python run.py lab`) first.\n"
    )
    small.healthy = True
    assert small.setup() == []
    assert (became, small.code) == ([["-m", "mialab", "progress"]], 3)


def test_a_terminal_that_cannot_show_the_folders_name_stops_nothing(tmp_path):
    folder = tmp_path / "épreuve"
    Course(folder)
    code = "import run, sys; run.make_venv = lambda venv: sys.exit(7); run.main(['setup'])"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "")
    assert "?preuve" in done.stdout


@pytest.mark.parametrize("where", EVERYTHING)
def test_a_set_up_that_was_cut_short_is_done_over(small, where, capsys):
    small.fail_at = where
    assert small.setup() == EVERYTHING[: EVERYTHING.index(where) + 1]
    assert small.code == 130
    assert capsys.readouterr().err == "\nStopped. Run the same command again to go on.\n"
    small.fail_at = None
    assert small.setup() == EVERYTHING
    assert small.setup() == []


def test_a_changed_style_rule_reinstalls_nothing_but_a_dependency_or_the_lock_does(small):
    small.setup()
    pyproject = small.folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + "[tool.ruff]\nline-length = 1\n")
    assert small.setup() == []
    pyproject.write_text(pyproject.read_text().replace("'x'", "'x'\ndependencies = ['numpy']"))
    assert small.setup() == ["install", "course"]
    (small.folder / "requirements.lock").write_text("numpy==2 \\\n    --hash=sha256:0\n")
    small.fail_at = "install"
    assert small.setup() == ["install"]
    small.fail_at = None
    assert small.setup() == EVERYTHING, "after an interruption nothing in .venv is trusted"


def test_a_broken_moved_or_older_environment_is_made_anew(small, tmp_path):
    small.setup()
    Path(small.run.venv_python(small.run.VENV)).unlink()
    assert small.setup() == EVERYTHING
    (small.folder / "requirements.lock").write_text("")
    small.healthy = False
    assert small.setup() == EVERYTHING
    for key in ("folder", "python"):
        stamp = small.run.VENV / small.run.STAMP
        stamp.write_text(json.dumps({**json.loads(stamp.read_text()), key: "another"}))
        assert small.setup() == EVERYTHING, key
    stamp.write_text("{ cut")
    assert small.setup() == EVERYTHING


def test_a_folder_in_place_of_a_working_python_is_noticed(tmp_path):
    run = load_run(ROOT)
    python = Path(run.venv_python(tmp_path))
    assert not run.works(tmp_path)
    python.parent.mkdir(parents=True)
    python.write_text("cut short")
    python.chmod(0o755)
    assert not run.works(tmp_path)


# --- sentences with the fix ---------------------------------------------------------------------------------


def test_too_little_room_is_said_before_anything_is_made(small, capsys, monkeypatch):
    monkeypatch.setattr(small.run.shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 3 * 10**8))
    assert small.setup() == []
    assert small.code == 1
    assert "The disk is full (0.3 GB free): the course needs 2 GB." in capsys.readouterr().err


def test_a_disk_that_fills_up_is_said(small, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    small.run.make_venv = full
    small.setup()
    assert small.code == 1
    assert capsys.readouterr().err.startswith("\nThe disk is full: the course needs 2 GB. Free some space")


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_how_to_get_it(small, capsys, monkeypatch, missing):
    monkeypatch.setattr(small.run.importlib.util, "find_spec", lambda name: name != missing or None)
    assert small.setup() == []
    assert small.code == 1
    message = capsys.readouterr().err
    assert f"has no {missing}" in message
    assert f"sudo apt install python3.{sys.version_info[1]}-venv" in message


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        ("error: failed to write: No space left on device (os error 28)", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "is not the one that"),
        ("error: Hash mismatch for `six==1.17.0`", "is not the one that"),
        ("WARNING: Retrying: NewConnectionError('Failed to establish a new connection')", "did not answer"),
        ("error: Failed to fetch: dns error: failed to lookup address", "did not answer"),
        ("ReadTimeoutError: Read timed out.\nERROR: Could not find a version", "did not answer"),
        ("line\nERROR: something new", "ERROR: something new"),
        ("", "no reason was given"),
    ],
)
def test_each_failure_of_an_installer_becomes_one_sentence(output, sentence):
    message = load_run(ROOT).diagnosis("It could not be installed", output)
    assert sentence in message
    assert "run the same command again" in message.lower()
    assert "Traceback" not in message


def test_an_installer_that_fails_is_quoted_and_leaves_no_stamp(small, capsys, monkeypatch):
    real = load_run(small.folder)
    monkeypatch.setattr(real, "make_venv", small.make_venv)
    monkeypatch.setattr(real.shutil, "which", lambda name, **where: None)
    failing = [sys.executable, "-c", "import sys; sys.exit('NameResolutionError')"]
    monkeypatch.setattr(real, "pip_install", lambda python: failing)
    assert real.main(["setup"]) == 1
    assert "the package registry did not answer" in capsys.readouterr().err
    assert "NameResolutionError" in (real.VENV / real.LOG).read_text()
    assert not (real.VENV / real.STAMP).exists()


def test_uv_that_fails_is_followed_by_pip(small, monkeypatch):
    real, tried = load_run(small.folder), []

    def watch(command, venv):
        tried.append(command[0])
        return (1 if command[0] == "uv" else 0), ""

    monkeypatch.setattr(real.shutil, "which", lambda name, **where: "uv")
    monkeypatch.setattr(real, "watch", watch)
    assert real.install(real.VENV, ["course"]) == real.extras(), "pip installs all that the lock has"
    assert tried == ["uv", real.venv_python(real.VENV)]


def test_children_get_no_setting_that_slows_or_breaks_them(monkeypatch):
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET"}
    for name in unwanted:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KEPT", "yes")
    environment = load_run(ROOT).clean_environment(MORE="too")
    assert environment["KEPT"] == "yes"
    assert environment["MORE"] == "too"
    assert not unwanted & set(environment)


def test_what_pytest_is_told(small):
    run = small.run
    (small.folder / "tests").mkdir()
    (small.folder / "tests" / "test_a.py").write_text("")
    everything = run.pytest_words(["-x"])
    assert everything[-3:] == ["-x", "tests", "notebooks"]
    assert "--nbval" in everything
    some = run.pytest_words(["tests/test_a.py::test_b", "-x"])
    assert some[-2:] == ["tests/test_a.py::test_b", "-x"]
    assert "--nbval" not in some


def test_an_unknown_command_is_answered_with_the_list(capsys):
    run = load_run(ROOT)
    assert run.main(["labb"]) == 2
    listed = capsys.readouterr().out
    assert all(re.search(rf"^  {verb} +\w", listed, re.MULTILINE) for verb in run.VERBS)
    assert run.main([]) == run.main(["--help"]) == 0
