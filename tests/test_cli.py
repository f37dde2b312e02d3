"""The command `mialab`: what it prints, what it refuses, what it hands to JupyterLab."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from packaging.specifiers import SpecifierSet

import mialab
from mialab import cli
from mialab.cli import _doctor, _lab

NOTEBOOK = {
    "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Start"]}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Run each test in an empty folder, as nobody's workbook, with a course of one notebook."""
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "00_start_here.ipynb").write_text(json.dumps(NOTEBOOK))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MIALAB_WORKBOOK", "")  # so that what a command sets is undone, too
    monkeypatch.setattr("mialab.workbook.notebooks_folder", lambda: tmp_path / "course")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "an environment on the path"))  # not what `make test` runs in
    return tmp_path / "here"


def test_import_and_help_load_nothing_heavy():
    code = (
        "import sys, mialab\n"
        "from mialab import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pandas', 'matplotlib', 'IPython'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in ("lab", "doctor", "progress"))


def test_submodules_come_when_they_are_named():
    code = "import mialab; assert mialab.metrics.__name__ == 'mialab.metrics'; assert 'data' in dir(mialab)"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mialab.nonsense
    with pytest.raises(AttributeError, match="no attribute '_nothing'"):
        _ = mialab._nothing


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"mialab {mialab.__version__}\n"


def test_lab_says_what_it_did_once(nowhere, capsys):
    assert cli.main(["lab", "--no-open", "--workbook", "mine"]) == 0
    first = capsys.readouterr().out
    assert f"Your workbook is {nowhere / 'mine'} (new)." in first
    assert "00_start_here.ipynb is new in your workbook." in first
    assert cli.main(["lab", "--no-open", "--workbook", "mine"]) == 0
    mine = nowhere / "mine"
    assert capsys.readouterr().out == f"Your workbook is {mine}.\nRun `mialab lab --workbook {mine}` to open it.\n"


def test_the_command_that_opens_the_workbook_is_one_that_is_there(nowhere, capsys, monkeypatch):
    def last_line(*words):
        assert cli.main(["lab", "--no-open", *words]) == 0
        return capsys.readouterr().out.splitlines()[-1]

    monkeypatch.setenv("MIALAB_WORKBOOK", str(nowhere / "mine"))
    assert last_line() == "Run `mialab lab` to open it."
    monkeypatch.setattr(sys, "prefix", str(_lab.CHECKOUT / ".venv"))  # as after make lab: not on the path
    make, named = (
        ("python run.py lab", 'python run.py lab --workbook "{}"')
        if os.name == "nt"
        else ("make lab", "make lab ARGS=\"--workbook '{}'\"")
    )
    assert last_line() == f"Run `{make}` to open it."
    assert last_line("--workbook", "my own") == f"Run `{named.format(nowhere / 'my own')}` to open it."


def test_lab_becomes_jupyterlab_in_the_workbook(nowhere, monkeypatch):
    became = SimpleNamespace()

    def become(command, environment):
        became.command, became.env = command, environment
        return 7

    monkeypatch.setattr(_lab, "_become", become)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert cli.main(["lab", "--workbook", "mine", "--", "--no-browser", "--port", "9000"]) == 7
    assert became.command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={nowhere / 'mine'}" in became.command
    assert "--LabApp.default_url=/lab/tree/00_start_here.ipynb" in became.command
    assert became.command[-3:] == ["--no-browser", "--port", "9000"]
    assert became.env["MIALAB_WORKBOOK"] == str(nowhere / "mine")
    assert "PYTHONDONTWRITEBYTECODE" not in became.env
    ours, theirs = became.env["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert theirs == "theirs"
    defaults = json.loads((Path(ours) / "labconfig" / "default_setting_overrides.json").read_text())
    assert defaults["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_a_workbook_is_found_from_inside_it(nowhere, capsys, monkeypatch):
    cli.main(["lab", "--no-open", "--workbook", "mine"])
    capsys.readouterr()
    (nowhere / "mine" / "deep").mkdir()
    monkeypatch.chdir(nowhere / "mine" / "deep")
    assert cli.main(["lab", "--no-open"]) == 0
    assert capsys.readouterr().out.startswith(f"Your workbook is {nowhere / 'mine'}.\n")


def test_a_folder_that_cannot_be_a_workbook_is_one_sentence(nowhere, capsys):
    (nowhere / "file").write_text("")
    assert cli.main(["lab", "--no-open", "--workbook", "file"]) == 1
    assert capsys.readouterr().err.startswith("mialab: workbook='")


def run_mialab(words, **options):
    """The command in a process of its own, with the mialab that is tested here."""
    environment = {**os.environ, "PYTHONPATH": str(Path(mialab.__file__).resolve().parent.parent)}
    options = {"env": environment | options.pop("more", {}), "text": True, "capture_output": True, **options}
    return subprocess.run([sys.executable, "-m", "mialab", *words], check=False, **options)


def test_a_terminal_that_cannot_show_the_folders_name_stops_nothing(nowhere):
    words = ["lab", "--no-open", "--workbook", str(nowhere / "cahier-épreuve-ε")]
    done = run_mialab(words, more={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "cahier-?preuve-? (new)." in done.stdout
    assert (nowhere / "cahier-épreuve-ε" / "00_start_here.ipynb").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not delete the folder one is in")
@pytest.mark.parametrize("verb", ["lab", "doctor", "progress"])
def test_a_deleted_current_folder_is_one_sentence(nowhere, capsys, monkeypatch, verb):
    (nowhere / "gone").mkdir()
    monkeypatch.chdir(nowhere / "gone")
    (nowhere / "gone").rmdir()
    assert cli.main([verb]) == 1
    assert capsys.readouterr().err == (
        "mialab: the current folder has been deleted: go to another one (`cd`) and try again\n"
    )


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise on Windows")
@pytest.mark.parametrize("buffering", ["", "1"])
def test_a_reader_who_has_seen_enough_ends_it_quietly(nowhere, buffering):
    (nowhere / ".mialab.json").write_text("{}")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        more = {"PYTHONUNBUFFERED": buffering}
        done = run_mialab(
            ["progress", "--workbook", "."], more=more, capture_output=False, stdout=pipe, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_progress_prints_the_table_and_the_totals(nowhere, capsys, monkeypatch):
    rows = [
        ("00_start_here", "first_check", "correct", 1, 1, 2, "yours"),
        ("01_the_flowers", "predict", "handed in", 2, 2, 1, ""),
        ("01_the_flowers", "count", "not yet", 0, 1.5, 4, "the course's"),
        ("02_train", "gap", "not attempted", 0, 1, 0, ""),
    ]
    table = pd.DataFrame(rows, columns=["notebook", "exercise", "outcome", "points", "of", "attempts", "runs"])
    table.attrs["note"] = "Your progress file was damaged."
    (nowhere / "mine").mkdir()
    (nowhere / "mine" / ".mialab.json").write_text("{}")
    monkeypatch.setattr("mialab.exercises.progress_table", lambda: table)
    assert cli.main(["progress", "--workbook", "mine"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Your progress file was damaged.\n")
    assert out.splitlines()[1:6] == [
        "notebook        exercise     outcome        points   of  attempts  runs",
        "00_start_here   first_check  correct             1    1         2  yours",
        "01_the_flowers  predict      handed in           2    2         1",
        "01_the_flowers  count        not yet             0  1.5         4  the course's",
        "02_train        gap          not attempted       0    1         0",
    ]
    assert "2 of 4 exercises done, 3 of 5.5 points." in out
    assert out.endswith("Your attack: 1 of 2 functions are yours, the others the course's.\n")
    monkeypatch.setattr("mialab.exercises.progress_table", lambda: table.iloc[:0])
    assert cli.main(["progress", "--workbook", "mine"]) == 0
    assert "There are no exercises yet." in capsys.readouterr().out


@pytest.mark.parametrize("what", ["nothing", "file", "folder"])
def test_progress_where_there_is_no_workbook(nowhere, capsys, what):
    (nowhere / "file").write_text("")
    (nowhere / "folder").mkdir()
    assert cli.main(["progress", "--workbook", what]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"mialab: there is no workbook at {nowhere / what}: "
        f"run `mialab lab --workbook {nowhere / what}`, which makes one\n"
    )


@pytest.mark.parametrize("left", [".mialab.json", "progress.json"])
def test_progress_reads_the_workbook_that_was_named(nowhere, capsys, left):
    (nowhere / "mine").mkdir()
    (nowhere / "mine" / left).write_text('{"version": 1, "exercises": {}}')
    assert cli.main(["progress", "--workbook", "mine"]) == 0
    assert os.environ["MIALAB_WORKBOOK"] == str(nowhere / "mine")
    assert "0 of " in capsys.readouterr().out


# --- doctor -------------------------------------------------------------------------------------------------


def states(findings) -> set[str]:
    return {finding.state for finding in findings}


def test_the_doctor_passes_here(nowhere, capsys):
    code = cli.main(["doctor", "--workbook", "mine"])
    out = capsys.readouterr().out
    assert code == 0, out
    assert out.endswith("Everything that the course needs is here.\n")
    for what in ("Python 3", "packages", "data:", "notebooks", "workbook", "kernel", "disk"):
        assert what in out
    assert not (nowhere / "mine").exists(), "the doctor changes nothing"


def test_the_doctor_fails_with_the_fix(nowhere, capsys):
    (nowhere / "file").write_text("")
    assert cli.main(["doctor", "--workbook", "file"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  workbook" in out
    assert "\n      fix: " in out
    assert "to mend, see FAIL above." in out


def test_a_missing_or_wrong_dependency(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: "1.0")
    old = _doctor._dependency("numpy", SpecifierSet(">=2"), {})
    assert (old.state, old.what) == ("FAIL", "numpy 1.0 is not in the range >=2")
    assert "make lab" in old.fix
    other = _doctor._dependency("Some_Name", SpecifierSet(">=1"), {"some-name": {"1.2"}})
    assert str(other) == "OK    Some_Name 1.0 (the lock has 1.2)"
    gone = _doctor._dependency("x", SpecifierSet(), {})
    assert gone.state == "OK"

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert _doctor._dependency("x", SpecifierSet(), {}).what == "x is not installed"
    found = _doctor._dependencies()
    assert [f.what.split("`")[1] for f in found if f.state == "NOTE"] == ["instructor", "site", "test"]
    assert sum(f.state == "FAIL" for f in found) > 15


def test_the_lock_and_the_requirements_are_read(monkeypatch, tmp_path):
    assert _doctor._pins()["scikit-learn"]
    needed, parts = _doctor._requirements()
    assert any(line.startswith("jupyterlab") for line in needed)
    assert any(line.startswith("pytest") for line in parts["test"])
    assert set(parts) == set(_doctor._ADDED_BY)
    monkeypatch.setattr(_doctor, "CHECKOUT", tmp_path)  # as where pip installed a wheel
    lines = ["numpy>=2", 'jupyterlab>=4; extra == "course"', "pytest>=8; extra == 'test'"]
    monkeypatch.setattr(metadata, "requires", lambda _: lines)
    assert _doctor._requirements() == (["numpy>=2", "jupyterlab>=4; extra == 'course'"], {})
    assert _doctor._pins() == {}


def bare(code, **more):
    """A Python that sees the standard library and the course's folder only, as on a new machine."""
    checkout = str(Path(mialab.__file__).resolve().parent.parent)
    program = f"import sys; sys.path.insert(0, {checkout!r}); {code}"
    words = [sys._base_executable, "-I", "-S", "-c", program]
    return subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **more})


def test_the_doctor_works_before_anything_is_installed(nowhere):
    registry = "import mialab.cli._doctor as d; d._registry = lambda: [d.Finding('OK', 'registry')]; "
    done = bare(registry + "from mialab import cli; sys.exit(cli.main(['doctor']))")
    assert done.stderr == ""
    for words in ("Python 3", "environments (venv)", "registry", "disk", "ports", "git", "browser", "bubblewrap"):
        assert re.search(rf"^(OK  |NOTE|FAIL)  .*{re.escape(words)}", done.stdout, re.MULTILINE), words
    assert "make lab" in done.stdout


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_a_finding_with_the_fix(monkeypatch, missing):
    find_spec = lambda name: None if name == missing else name  # noqa: E731
    monkeypatch.setattr(_doctor, "importlib", SimpleNamespace(util=SimpleNamespace(find_spec=find_spec)))
    (finding,) = _doctor._venv()
    assert finding.state == "FAIL" and f"has no {missing}" in finding.what
    assert f"sudo apt install python3.{sys.version_info[1]}-venv" in finding.fix


@pytest.mark.long
def test_a_registry_that_does_not_answer_is_a_finding(monkeypatch, tmp_path):
    """pip is asked as the set-up asks it: through the user's own settings, here a mirror that is not there."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (finding,) = _doctor._registry()
    assert finding.state == "FAIL" and "idna" in finding.what and "proxy or mirror" in finding.fix
    monkeypatch.setattr(_doctor, "_pip", lambda: None)
    assert states(_doctor._registry()) == {"NOTE"}


def test_the_pip_that_came_with_python_is_found():
    done = bare("import ensurepip, mialab.cli._doctor as d; print(d._pip(), ensurepip.version())")
    wheel, version = done.stdout.split()
    assert done.stderr == ""
    assert wheel == "None" or (wheel.endswith(".whl") and version in wheel)


def test_an_environment_that_is_broken_is_told_from_none(monkeypatch, tmp_path):
    monkeypatch.setattr(_doctor, "CHECKOUT", tmp_path)
    assert states(_doctor._not_yet()) == {"NOTE"}
    (tmp_path / ".venv").mkdir()
    (finding,) = _doctor._not_yet()
    assert finding.state == "FAIL" and "make clean" in finding.fix


def test_damaged_data_is_named(monkeypatch):
    def damaged():
        raise ValueError("iris.csv is not the file that the course ships")

    monkeypatch.setattr("mialab.data.load_iris", damaged)
    (finding,) = _doctor._data()
    assert finding.state == "FAIL"
    assert "iris.csv" in finding.what
    assert "git checkout" in finding.fix


def test_progress_that_cannot_be_read_is_named(tmp_path):
    assert states(_doctor._progress(tmp_path)) == {"OK"}
    (tmp_path / "progress.json").write_text('{"exercises": {"a": {}}}')
    (finding,) = _doctor._progress(tmp_path)
    assert finding.what.startswith("progress: 1 tried so far")
    (tmp_path / "progress.json").write_text('\ufeff{"exercises": {}}', encoding="utf-8")
    assert states(_doctor._progress(tmp_path)) == {"OK"}
    (tmp_path / "progress.json").write_text("[" * 200_000)
    assert states(_doctor._progress(tmp_path)) == {"FAIL"}
    (tmp_path / "progress.json").write_text("{")
    assert states(_doctor._progress(tmp_path)) == {"FAIL"}


def test_another_environments_kernel_is_named(monkeypatch, tmp_path):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    def spec(program):
        found = SimpleNamespace(argv=[program, "-m", "ipykernel_launcher"], resource_dir="kernels/python3")
        monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", lambda self, name: found)
        return states(_doctor._kernel())

    assert spec("python") == spec(sys.executable) == {"OK"}
    assert spec(str(tmp_path / "python")) == {"FAIL"}

    def none(self, name):
        raise NoSuchKernel(name)

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    assert states(_doctor._kernel()) == {"FAIL"}


def test_no_room_no_loopback_no_browser(monkeypatch, tmp_path):
    monkeypatch.setattr(_doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert states(_doctor._disk(tmp_path / "not" / "yet", 2000)) == {"FAIL"}
    assert states(_doctor._disk(tmp_path / "not" / "yet", 500)) == {"OK"}

    def refused(*_, **__):
        raise PermissionError("not allowed")

    monkeypatch.setattr(_doctor.socket, "create_server", refused)
    assert states(_doctor._loopback()) == {"FAIL"}
    monkeypatch.setattr(_doctor.shutil, "which", lambda _: None)
    assert states(_doctor._programs()) == {"NOTE"}

    def none():
        raise _doctor.webbrowser.Error("none")

    monkeypatch.setattr(_doctor.webbrowser, "get", none)
    assert states(_doctor._browser()) == {"NOTE"}


def test_a_check_that_breaks_is_a_finding(monkeypatch, tmp_path):
    def broken():
        raise RuntimeError("out of luck")

    monkeypatch.setattr(_doctor, "_data", broken)
    findings = list(_doctor.examine(tmp_path))
    assert any("out of luck" in finding.what and finding.state == "FAIL" for finding in findings)
    assert len(findings) >= 14, "the checks after the broken one still run"
