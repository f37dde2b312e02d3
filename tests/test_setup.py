"""The set-up: the lock and the other files that must agree with each other."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from test_run import ROOT, load_run

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.lock").read_text("utf-8")


def direct() -> list[Requirement]:
    project = PYPROJECT["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def pins() -> dict[str, str]:
    """Every package that the lock installs on this Python: {name: version}."""
    lines = re.findall(r"^([A-Za-z][^\\\n]*?)\s*\\?$", LOCK, re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    here = default_environment()
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in requirements
        if one.marker is None or one.marker.evaluate(here)
    }


@pytest.mark.parametrize("requirement", direct(), ids=lambda requirement: requirement.name)
def test_the_lock_pins_each_direct_dependency_inside_its_range(requirement):
    version = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), f"{requirement} does not allow the locked {version}"
    assert any(one.operator == ">=" for one in requirement.specifier), f"{requirement} has no floor"


def test_every_pin_has_hashes_and_nothing_else_is_in_the_lock():
    blocks = re.split(r"\n(?=[A-Za-z])", LOCK.strip())
    assert len(blocks) > 50
    for block in blocks:
        first, *rest = block.splitlines()
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[\w.+!-]+( ; [\w\s.'<>=!()*]+)? \\", first), first
        assert rest
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in rest), block


def test_the_lock_names_no_host_and_no_path_and_no_torch():
    assert not re.search(r"://|file:|--index|--find-links|@ |(^|\s)/|\\\\|torch", LOCK.replace("\\\n", "\n"))


def test_the_floor_of_python_is_the_same_everywhere():
    floor = load_run(ROOT).FLOOR
    assert PYPROJECT["project"]["requires-python"] == f">={floor[0]}.{floor[1]}"
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    (python,) = [one for one in conda["dependencies"] if isinstance(one, str) and one.startswith("python=")]
    assert tuple(int(part) for part in python.split("=")[1].split(".")) >= floor


def test_conda_and_binder_install_the_lock_and_agree():
    paths = ("environment.yml", ".binder/environment.yml")
    conda, binder = (yaml.safe_load((ROOT / path).read_text("utf-8")) for path in paths)
    assert conda["name"] == "mialab"
    assert conda["dependencies"][-1] == {"pip": ["-r requirements.lock"]}
    assert binder["dependencies"][-1] == {"pip": ["-r ../requirements.lock"]}
    assert {**conda, "dependencies": conda["dependencies"][:-1]} == {
        **binder,
        "dependencies": binder["dependencies"][:-1],
    }


@pytest.mark.skipif(os.name == "nt" or not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize("path", [".ci/run", ".binder/postBuild"])
def test_shell_scripts_parse_and_can_be_run(path):
    subprocess.run(["bash", "-n", str(ROOT / path)], check=True)
    assert os.access(ROOT / path, os.X_OK)


def test_make_has_exactly_the_verbs_of_run():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (targets,) = re.findall(r"^(.*):\n\t@\$\(PYTHON\) run\.py", makefile, re.MULTILINE)
    assert set(targets.split()) == set(load_run(ROOT).VERBS) - {"setup"}
    for target in targets.split():
        assert f"make {target} " in makefile, f"make's help leaves out {target}"
    assert "ARGS=--no-open" in makefile


def test_citation_and_package_have_one_version():
    import mialab

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert str(citation["version"]) == mialab.__version__


def test_no_committed_file_names_a_machine():
    """No path of one machine and no registry: the course installs from wherever the reader's pip does."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    forbidden = re.compile("|".join([r"pypi\.", r"files\.pyth" + "onhosted", "/ro" + "ot/", "/wo" + "rk/"]))
    for name in filter(None, done.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path != Path(__file__).resolve():
            found = forbidden.search(path.read_bytes().decode("utf-8", "ignore"))
            assert not found, f"{name} names {found.group()!r}"


def test_readme_and_instructors_say_what_the_notebooks_say():
    """The minutes at the top of each notebook in both tables, and as many exercises as there are."""
    from mialab.exercises import progress_table

    exercises = progress_table()["notebook"].value_counts()
    readme = (ROOT / "README.md").read_text("utf-8")
    guide = (ROOT / "INSTRUCTORS.md").read_text("utf-8")
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        first = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
        minutes = re.search(r"about (\d+) minutes", first).group(1)
        name = rf"^\| \[[^]]+\]\(notebooks/{path.name}\) \| [^|]+ \|"
        assert re.search(rf"{name} {minutes} \|$", readme, re.MULTILINE), f"README on {path.name}: {minutes} minutes"
        row = rf"{name} {minutes} \| \[{exercises[path.stem]}\]\(mialab/instructor/notes/{path.stem[:2]}.md\) \|$"
        assert re.search(row, guide, re.MULTILINE), f"{path.name}: {minutes} minutes, {exercises[path.stem]} exercises"
    assert len(re.findall(r"^\| \[\d\d ", guide, re.MULTILINE)) == len(notebooks)
    assert f"{exercises.sum()} exercises" in guide
