"""For those who keep the course: pin its dependencies, test it at both ends of their ranges.

Run through run.py: `make lock`, `make newest`, `make floors`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import run

RESOLUTIONS = {"newest": "highest", "floors": "lowest-direct"}


def lock(words: list[str]) -> int:
    """Write requirements.lock for every system and Python, with hashes and without any registry's address."""
    floor = ".".join(str(part) for part in run.FLOOR)
    command = [uv(), "pip", "compile", "pyproject.toml", "--output-file", run.LOCK.name, "--all-extras"]
    command += ["--universal", "--python-version", floor, "--generate-hashes", "--no-emit-index-url"]
    command += ["--no-emit-find-links", "--no-annotate", "--no-header", "--quiet", *words]
    if subprocess.run(command, cwd=run.ROOT, env=run.clean_environment(), check=False).returncode:
        raise run.Trouble("uv could not resolve pyproject.toml: what it says above names the cause.")
    print(f"{run.LOCK.name} is written: run `make test` before you commit it.")
    return 0


def trial(name: str, words: list[str]) -> int:
    """Install one end of pyproject's ranges into an environment of its own, test there, say what differs."""
    started = time.monotonic()
    venv = run.VENV.with_name(f".venv-{name}")
    run.check_room()
    run.make_venv(venv)
    ranges = ["--resolution", RESOLUTIONS[name], "--all-extras", "--requirement", "pyproject.toml"]
    command = [uv(), "pip", "install", "--python", run.venv_python(venv), "--compile-bytecode", *ranges]
    code, output = run.watch(command, venv)
    if code != 0:
        print(f"{name}: BROKEN, these releases cannot be installed together:\n{output}")
        return 0
    run.install_course(venv)
    before, after = installed(run.VENV), installed(venv)
    changed = sorted(package for package in after if before.get(package) != after[package])
    print(f"{name}: {len(changed)} of {len(after)} packages differ from the lock.")
    for package in changed:
        print(f"  {package:28} {before.get(package, 'none')} -> {after[package]}")
    _, broke = run.run_tests(venv, words, started)  # the style is the locked ruff's to judge
    print(f"{name}: {'BROKEN, see above' if broke else 'all tests pass'} (a report: it blocks nothing)")
    return 0


def installed(venv: Path) -> dict[str, str]:
    """Return {package: version} of an environment."""
    command = [uv(), "pip", "list", "--format", "json", "--python", run.venv_python(venv)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=run.clean_environment()
    )
    return {package["name"]: package["version"] for package in json.loads(done.stdout)}


def uv() -> str:
    """Return the path of uv, which the lock puts into .venv."""
    found = shutil.which("uv", path=str(Path(run.venv_python(run.VENV)).parent)) or shutil.which("uv")
    if not found:
        raise run.Trouble("uv is needed for this: run `make lab` once, which installs it in .venv.")
    return found


def main(verb: str, *words: str) -> int:
    """Run one verb; a foreseen failure is a sentence."""
    try:
        return lock(list(words)) if verb == "lock" else trial(verb, list(words))
    except run.Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
