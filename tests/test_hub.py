"""Configuration files for hubs: every option is one that the program has, and learners see nothing of nbgrader."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import mialab
from mialab.instructor.making import _nbgrader

HUB = Path(mialab.__file__).parent / "instructor" / "hub"
LAB = Path(mialab.__file__).parent / "_lab"


def options_of(path):
    """{class: {option: value}} that a configuration file sets."""
    from traitlets.config import Config

    config = Config()
    exec(compile(path.read_text("utf-8"), str(path), "exec"), {"get_config": lambda: config})
    return {name: dict(values) for name, values in config.items()}


def test_nbgraders_options_are_real_ones():
    pytest.importorskip("nbgrader")
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default import Exchange

    kinds = {"CourseDirectory": CourseDirectory, "Exchange": Exchange}
    options = options_of(HUB / "nbgrader_config.py")
    assert options
    for name, values in options.items():
        assert values.keys() <= set(kinds[name].class_trait_names(config=True)), name


def test_the_options_that_assign_writes_are_real_ones(tmp_path):
    pytest.importorskip("nbgrader")
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.preprocessors import ClearSolutions, Execute

    from mialab.instructor.making._course import start

    start(tmp_path)
    kinds = {"CourseDirectory": CourseDirectory, "ClearSolutions": ClearSolutions, "ExecutePreprocessor": Execute}
    for name, values in options_of(tmp_path / "nbgrader_config.py").items():
        assert values.keys() <= set(kinds[name].class_trait_names(config=True)), name


@pytest.mark.skipif(find_spec("jupyterhub") is None, reason="JupyterHub is not among the course's requirements")
def test_jupyterhubs_options_are_real_ones():
    from jupyterhub.spawner import Spawner

    options = options_of(HUB / "jupyterhub_config.py")
    assert options.keys() == {"Spawner"}
    assert options["Spawner"].keys() <= set(Spawner.class_trait_names(config=True))


def test_the_values_for_a_campus_parse_and_name_what_there_is():
    values = yaml.safe_load((HUB / "values.yaml").read_text("utf-8"))
    assert values.keys() == {"singleuser", "hub", "cull"}
    assert values["singleuser"]["extraEnv"] == options_of(HUB / "jupyterhub_config.py")["Spawner"]["environment"]


def test_learners_see_nothing_of_nbgrader():
    """Whatever extensions the installed nbgrader switches on, the course's own settings switch off."""
    pytest.importorskip("nbgrader")
    off = json.loads((LAB / "jupyter_server_config.json").read_text("utf-8"))["ServerApp"]["jpserver_extensions"]
    on = json.loads((Path(sys.prefix) / "etc/jupyter/jupyter_server_config.d/nbgrader.json").read_text("utf-8"))
    assert on["ServerApp"]["jpserver_extensions"].keys() == off.keys() and not any(off.values())
    page = json.loads((LAB / "labconfig" / "page_config.json").read_text("utf-8"))
    files = [str(file) for file in importlib.metadata.files("nbgrader") if "labextensions" in str(file)]
    names = {"/".join(file.split("labextensions/")[1].split("/")[:2]) for file in files}
    assert {name for name, is_off in page["disabledExtensions"].items() if is_off} == names


def test_nbgrader_is_added_only_to_the_environment_that_make_lab_made(monkeypatch, tmp_path):
    ran, done = [], SimpleNamespace(returncode=0)
    monkeypatch.setattr(_nbgrader.subprocess, "run", lambda words, **_: ran.append(words[2:]) or done)
    monkeypatch.setattr(mialab, "__file__", str(tmp_path / "mialab" / "__init__.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    assert not _nbgrader._install(), "a wheel has no run.py"
    (tmp_path / "run.py").write_text("")
    assert _nbgrader._install() == (find_spec("nbgrader") is not None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "another"))
    assert not _nbgrader._install()
    assert ran == [["setup", "instructor"]]
