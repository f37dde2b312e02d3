"""The recipes of the site's library part run as they stand, and the shell's options are those that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from mialab.cli import _parser

PAGE = (Path(__file__).resolve().parents[1] / ".ci" / "site" / "recipes.md").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_every_recipe_runs_after_those_before_it(capsys):
    blocks, names = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL), {}
    for block in blocks:
        exec(compile(block, "recipes.md", "exec"), names)
    assert len(blocks) == len(re.findall("^## ", PAGE, re.MULTILINE))
    said = capsys.readouterr().out
    assert len(names["more"].shadows) == 8 and " 0\n" in said  # the whole budget of the remote service was spent


def test_the_shell_knows_the_options():
    (command,) = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    options = _parser().parse_args(shlex.split(command.replace("\\\n", " "))[1:])
    assert options.fail_above == ["0.6", "tpr@0.01=0.05", "above=3"] and options.estimator == "training:make"
