"""How long `import mialab` and its ground floor take, against scikit-learn's own import.

Run `python tests/bench_import.py`. Each figure is the median over fresh interpreters, taken in turn so that
a busy moment of the machine falls on all alike, less the start of a bare interpreter.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROUNDS = 9
SNIPPETS = {
    "bare interpreter": "pass",
    "scikit-learn": "import sklearn",
    "mialab": "import mialab",
    "mialab + ground floor": "from mialab import data, targets, attacks, metrics, trials",
}


def seconds(code: str) -> float:
    """Time one fresh interpreter that runs `code`."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=Path(__file__).parents[1])
    return time.perf_counter() - start


def main() -> None:
    """Print each import's time and its ratio to scikit-learn's."""
    for code in SNIPPETS.values():  # once unmeasured, so that byte-code and disk caches are warm
        seconds(code)
    rounds = [{name: seconds(code) for name, code in SNIPPETS.items()} for _ in range(ROUNDS)]
    typical = {name: median(times[name] for times in rounds) for name in SNIPPETS}
    bare = typical.pop("bare interpreter")
    for name, total in typical.items():
        own, ratio = total - bare, (total - bare) / (typical["scikit-learn"] - bare)
        print(f"{name:22s} {own * 1000:6.0f} ms   {ratio:5.2f} of scikit-learn's import")


if __name__ == "__main__":
    main()
