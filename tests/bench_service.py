"""How many questions the prediction service answers, asked from a second process over loopback.

Run `python tests/bench_service.py`. A connection is kept; each figure is over a few seconds of asking without pause.
Then 64 clients ask at once, and each answer is compared with the local model's; how long a start and a stop take. Last,
whether a stop-watch on the class challenge's models tells members: an AUC, 0.50 if not.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np

from mialab.blackbox import RemoteModel, serve
from mialab.data import load_iris
from mialab.instructor.challenge._challenge import target_of
from mialab.metrics import auc, mean_interval
from mialab.targets import make

SECONDS = 3.0
BATCHES = {"logistic": (1, 100, 1000), "knn-lookup": (1, 100, 1000), "forest": (1, 1000)}


def measure(url: str, batch: int, wire: str) -> None:
    """Ask for `SECONDS`, and print the milliseconds of each call as JSON."""
    X = np.random.default_rng(0).uniform(0, 8, size=(batch, 4))
    remote, took = RemoteModel(url, wire=wire), []
    for _ in range(5):
        remote.predict_proba(X)
    end = time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        remote.predict_proba(X)
        took.append((time.perf_counter() - start) * 1000)
    print(json.dumps(took))


def crowd(model: object, url: str, n_clients: int = 64, n_each: int = 10) -> str:
    """`n_clients` threads with a connection each; what they got, compared, and how fast."""
    questions = np.random.default_rng(1).uniform(0, 8, size=(n_clients, n_each, 5, 4))
    remotes = [RemoteModel(url, timeout=60) for _ in range(n_clients)]
    start = time.perf_counter()
    with ThreadPoolExecutor(n_clients) as pool:
        answers = list(pool.map(lambda i: [remotes[i].predict_proba(X) for X in questions[i]], range(n_clients)))
    took = time.perf_counter() - start
    local = [[model.predict_proba(X) for X in mine] for mine in questions]
    wrong = int((np.array(answers) != np.array(local)).any(axis=(2, 3)).sum())
    n_calls = n_clients * n_each
    return (
        f"{n_clients} clients at once: {n_calls} answers, {wrong} unlike the local ones, {n_calls / took:.0f} a second"
    )


def main() -> None:
    """Print the table."""
    flowers = load_iris()
    print("model        wire        batch   requests/s   predictions/s   p50 ms   p99 ms   local p50 ms")
    for name, batches in BATCHES.items():
        model = make(name).fit(flowers.X, flowers.y)
        with serve(model, name) as url:
            for wire in ("vertex", "sagemaker"):
                for batch in batches:
                    code = [sys.executable, __file__, url, str(batch), wire]
                    took = np.array(json.loads(subprocess.run(code, check=True, capture_output=True).stdout))
                    X = np.full((batch, 4), 3.0)
                    local = [timed(lambda m=model, X=X: m.predict_proba(X)) for _ in range(30)]
                    rate = 1000 / took.mean()
                    print(
                        f"{name:12s} {wire:10s} {batch:6d} {rate:12.0f} {rate * batch:15.0f} {np.median(took):8.2f} "
                        f"{np.percentile(took, 99):8.2f} {np.median(local):14.2f}"
                    )
            if name == "logistic":
                said = crowd(model, url)
    print(said)
    starts, stops = [], []
    for _ in range(5):
        service = serve(model)
        starts.append(timed(service.__enter__))
        stops.append(timed(lambda one=service: one.__exit__(None, None, None)))
    began, ended = np.median(starts), np.median(stops)
    print(f"start {began:.0f} ms, stop {ended:.0f} ms; with an idle client connected {idle_stop(model):.0f} ms")
    print("members told by the time of an answer: AUC", mean_interval([stop_watch(f"student {n}") for n in range(8)]))


def idle_stop(model: object) -> float:
    """Milliseconds to stop while a client keeps its connection open."""
    service = serve(model)
    with httpx.Client(base_url=service.__enter__()) as client:
        client.get("/ping")
        return timed(lambda: service.__exit__(None, None, None))


def stop_watch(student: str) -> float:
    """How well the time of its answer tells a member, of this student's model: the median of five, in random order."""
    mine = target_of(bytes(32), student, 0)
    spent = np.zeros((5, 150))
    for repeat in range(5):
        for i in np.random.default_rng(repeat).permutation(150):
            spent[repeat, i] = timed(lambda i=i: mine.model.predict_proba(mine.X[i : i + 1]))
    return auc(np.median(spent, axis=0), mine.is_member)


def timed(action) -> float:
    """Milliseconds that `action` takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), sys.argv[3]) if len(sys.argv) > 1 else main()
