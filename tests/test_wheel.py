"""The built package: a plain `pip install` of it has the data and the notebooks, too."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel, unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_the_data_and_the_notebooks(wheel):
    for theirs, ours in (("_data", "data"), ("_notebooks", "notebooks")):
        packed = {path.name for path in (wheel / "mialab" / theirs).rglob("*") if path.is_file()}
        files = [path for path in (ROOT / ours).rglob("*") if path.is_file()]
        kept = {path.name for path in files if ".ipynb_checkpoints" not in path.parts}
        assert packed == kept
    assert {path.name.split("-")[0] for path in wheel.iterdir()} == {"mialab"}
    assert list((wheel / "mialab" / "_lab").rglob("default_setting_overrides.json"))


def test_the_unpacked_wheel_loads_iris_and_copies_the_notebooks(wheel, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r})\n"
        "from mialab import data, workbook, _files\n"
        f"assert str(_files.data_folder()).startswith({str(wheel)!r}), _files.data_folder()\n"
        "assert data.load_iris().X.shape == (150, 4)\n"
        f"print(len(workbook.sync({str(tmp_path / 'book')!r})))"
    )
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(list((ROOT / "notebooks").glob("*.ipynb"))) > 0


def test_the_unpacked_wheel_makes_pages(wheel, tmp_path):
    """The templates and the style sheet travel in the wheel, and no page fetches anything."""
    ours = ROOT / "mialab" / "templates"
    assert {path.name for path in (wheel / "mialab" / "templates").iterdir()} == {path.name for path in ours.iterdir()}
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r})\n"
        "from mialab import _html\n"
        f"assert _html.__file__.startswith({str(wheel)!r}), _html.__file__\n"
        "assert 'jinja2' not in sys.modules\n"
        "print(_html.render('leaderboard.html', head=['<name>'], rows=[['<b>']], note='&'))"
    )
    command = [sys.executable, "-I", "-c", code]
    page = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert page.startswith("<!DOCTYPE html>") and "color-scheme" in page and "//" not in page
    assert "&lt;name&gt;" in page and "&lt;b&gt;" in page and "<p>&amp;</p>" in page and "<b>" not in page


def test_a_missing_folder_of_the_course_is_named(monkeypatch, tmp_path):
    from mialab import _files

    monkeypatch.setattr(_files, "_PACKAGE", tmp_path / "mialab")
    with pytest.raises(FileNotFoundError, match=r"the course's data folder is neither at .*: install mialab"):
        _files.data_folder()
    (tmp_path / "notebooks").mkdir()
    assert _files.notebooks_folder() == tmp_path / "notebooks"
