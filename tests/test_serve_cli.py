"""`mialab serve`: what it serves, what it refuses to load, whose keys it knows, and that Ctrl-C stops it."""

import json
import os
import pickle
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import httpx
import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mialab import cli
from mialab.blackbox import RemoteModel, serve
from mialab.cli import _serve
from mialab.data import load_iris, split
from mialab.targets import make

IRIS = load_iris()


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Run each test in an empty folder, with no keys in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(_serve.KEYS_VARIABLE, raising=False)


def refused(capsys, *words: str) -> str:
    assert cli.main(["serve", *words]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("mialab: ") and err.count("\n") == 1
    return err


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize("name", ["m.pkl", "m.joblib", "m.skops", "m"])
@pytest.mark.parametrize("dump", [pickle.dumps, None], ids=["pickle", "joblib"])
def test_a_pickle_is_never_loaded(capsys, name, dump):
    if dump:
        Path(name).write_bytes(dump(Evil()))
    else:
        joblib.dump(Evil(), name)
    assert "runs whatever code is in it: save the model with skops.io.dump" in refused(capsys, name)
    assert not Path("ran").exists()


def test_types_that_nobody_trusts_are_named_and_loaded_only_when_told(capsys):
    model = make("one-nn").fit(IRIS.X, IRIS.y)
    skops.io.dump(model, "m.skops")
    said = refused(capsys, "m.skops")
    assert "types that skops does not trust: " in said and "sklearn.neighbors._kd_tree.KDTree" in said
    trusted = re.findall(r"--trust (\S+)", said)
    assert len(trusted) == 2
    loaded = _serve.load_model(Path("m.skops"), trusted)
    assert (loaded.predict_proba(IRIS.X) == model.predict_proba(IRIS.X)).all()


def test_what_is_no_model_is_refused(capsys):
    assert "there is no file 'rose', and the course's targets are knn-lookup, " in refused(capsys, "rose")
    with zipfile.ZipFile("z.skops", "w") as file:
        file.writestr("a", "b")
    assert "skops cannot load z.skops" in refused(capsys, "z.skops")
    skops.io.dump({"a": 1}, "d.skops")
    assert "model (dict) has no classes_" in refused(capsys, "d.skops")
    assert "output is 'logits'" in refused(capsys, "tree", "--output", "logits")
    assert "n_members" in refused(capsys, "tree", "--members", "0")


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        ("alice=s3cret", ("alice", "s3cret", None)),
        ("alice=s3cret:40", ("alice", "s3cret", 40)),
        ("a b = c=d:e:5", ("a b", " c=d:e", 5)),
        ("alice=s3cret:", ("alice", "s3cret:", None)),
    ],
)
def test_a_key_is_a_name_a_secret_and_perhaps_a_budget(line, parsed):
    assert _serve.parse_key("--key", line) == parsed


@pytest.mark.parametrize("line", ["s3cret", "=s3cret", "alice=", "alice=:5"])
def test_a_bad_key_is_refused_without_repeating_it(capsys, line):
    said = refused(capsys, "tree", "--key", line)
    assert "--key holds a key that is not NAME=SECRET" in said and "s3cret" not in said


def test_keys_come_from_the_file_the_environment_and_the_options(monkeypatch, capsys):
    Path("keys").write_text("# ours\nalice=a:5\n\nbob=b\n")
    monkeypatch.setenv(_serve.KEYS_VARIABLE, "carol=c:7\ndave=d")
    options = cli._parser().parse_args(["serve", "tree", "--keys-file", "keys", "--key", "eve=e"])
    found = [("eve", "e", None), ("carol", "c", 7), ("dave", "d", None), ("alice", "a", 5), ("bob", "b", None)]
    assert _serve.read_keys(options) == found
    assert "two keys have the same secret" in refused(capsys, "tree", "--keys-file", "keys", "--key", "x=a")
    Path("none").write_text("# nobody\n")
    assert "none holds no keys" in refused(capsys, "tree", "--keys-file", "none")
    Path("none").write_text("")
    assert "none holds no keys" in refused(capsys, "tree", "--keys-file", "none")
    assert "No such file" in refused(capsys, "tree", "--keys-file", "nowhere")


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt" or not shutil.which("curl"), reason="needs curl")
@pytest.mark.parametrize("keyed", [False, True])
def test_it_serves_until_ctrl_c(keyed):
    words = ["knn-lookup", "--members", "50", "--seed", "3", "--port", "0", "--log", "log"]
    environment = {**os.environ, "KEY": "s3cret"}
    if keyed:
        environment[_serve.KEYS_VARIABLE] = "alice=s3cret:51"
    with subprocess.Popen(
        [sys.executable, "-m", "mialab", "serve", *words],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        # A job that a shell started in the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        last_resort = threading.Timer(60, process.kill)  # a service that does not stop must not stop the tests
        last_resort.start()
        try:
            first, curl = process.stdout.readline(), process.stdout.readline()
            assert first.startswith("knn-lookup, trained on 50 flowers (seed 3), is served at http://127.0.0.1:")
            done = subprocess.run(["bash", "-c", curl], env=environment, capture_output=True, check=True)
            assert len(json.loads(done.stdout)["predictions"][0]) == 3
            parts = split(IRIS.X, IRIS.y, n_members=50, random_state=3)
            url = re.search(r"http://\S+", first).group().rstrip("/")
            remote = RemoteModel(url, "knn-lookup", "s3cret" if keyed else None)
            assert np.mean(remote.predict_proba(parts.X_in).max(axis=1) == 1) > 0.99  # its own members
            assert remote.queries_left == (0 if keyed else None)
        finally:
            process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "\nStopped.\n"
        assert process.wait(20) == 0
        last_resort.cancel()
    lines = [json.loads(line) for line in Path("log").read_text().splitlines()]
    assert {line["key"] for line in lines} == {"alice" if keyed else "everyone"}


def test_the_example_is_one_shell_line():
    words = shlex.split(_serve.example("http://h", "m", [1.0] * 4, keyed=False))
    assert json.loads(words[words.index("-d") + 1]) == {"instances": [[1.0] * 4]}


def test_the_example_is_a_record_that_the_model_can_read(tmp_path):
    assert _serve.example_record(make("tree").fit(IRIS.X, IRIS.y), None) == [1.0] * 4
    frame = pd.DataFrame({"sex": ["f", "m"] * 10, "patient's age": np.arange(20)})
    model = make_pipeline(make_column_transformer((OneHotEncoder(), ["sex"])), LogisticRegression())
    model.fit(frame, [0, 1] * 10)
    with pytest.raises(ValueError, match=r"cannot read a record of ones .* give --example CSV"):
        _serve.example_record(model, None)
    frame.to_csv(tmp_path / "one.csv", index=False)
    record = _serve.example_record(model, str(tmp_path / "one.csv"))
    assert record == {"sex": "f", "patient's age": 0}
    words = shlex.split(_serve.example("http://h", "m", record, keyed=False))
    with serve(model, "m") as url:
        asked = words[words.index("-d") + 1]
        answer = httpx.post(f"{url}/v1/models/m:predict", content=asked, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
