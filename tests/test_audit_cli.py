"""`mialab audit` from the shell: a saved model or a service, two CSV files, a report."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mialab.blackbox import serve
from mialab.cli import main
from mialab.data import load_iris, split

FLOWERS = load_iris()
PARTS = split(FLOWERS.X, FLOWERS.y, 75, 0)
FRAME = FLOWERS.frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    inside, outside = FRAME.iloc[PARTS.index_in], FRAME.iloc[PARTS.index_out]
    inside.to_csv(folder / "a.csv", index=False)
    outside[outside.columns[::-1]].to_csv(folder / "b.csv", index=False)  # in another order of columns
    outside.to_csv(folder / "semicolons.csv", index=False, sep=";")
    outside.assign(species="rosa").to_csv(folder / "rosa.csv", index=False)
    outside.drop(columns="petal width").to_csv(folder / "narrow.csv", index=False)
    outside.assign(**{"petal width": None}).to_csv(folder / "holes.csv", index=False)
    (folder / "empty.csv").write_text("")
    outside.head(5).to_csv(folder / "few.csv", index=False)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(inside.drop(columns="species"), inside["species"])
    skops.io.dump(model, folder / "logistic.skops")
    lookup = KNeighborsClassifier(15, weights="distance").fit(inside.drop(columns="species"), inside["species"])
    skops.io.dump(lookup, folder / "lookup.skops")
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    return folder


def run(folder, *words, members="a.csv", others="b.csv", label="species", out="out.html"):
    files = ["--members", str(folder / members), "--non-members", str(folder / others), "--out", str(folder / out)]
    return main(["audit", "--shadows", "4", *words, *files, "--label", label, "--overwrite"])


def trusted(path):
    return [word for one in skops.io.get_untrusted_types(file=path) for word in ("--trust", one)]


@pytest.mark.long
def test_an_audit_in_a_process_of_its_own(folder):
    model = folder / "lookup.skops"
    command = [sys.executable, "-m", "mialab", "audit", str(model), *trusted(model), "--label", "species"]
    command += ["--members", str(folder / "a.csv"), "--non-members", str(folder / "b.csv"), "--shadows", "8"]
    done = subprocess.run(
        [*command, "--out", "own.html", "--fail-above", "0.6"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr == "" and done.stdout.startswith("The model gives away who was in its training data.")
    assert "The report is own.html, its numbers are own.json." in done.stdout
    data = json.loads((folder / "own.json").read_text("utf-8"))
    assert data["outcome"] == "leaks" and data["model"] == "lookup" and data["settings"]["members"] == 75
    assert "<h1>Membership audit of lookup</h1>" in (folder / "own.html").read_text("utf-8")
    again = subprocess.run([*command, "--out", "own.html"], cwd=folder, capture_output=True, text=True, check=False)
    assert again.returncode == 1 and "own.html is there already" in again.stderr


@pytest.mark.long
def test_a_quiet_model_exits_with_0_and_a_leaky_one_unless_asked(folder, capsys):
    assert run(folder, str(folder / "logistic.skops"), "--fail-above", "0.6") == 4  # no clearance
    assert run(folder, str(folder / "logistic.skops")) == 0
    assert "cannot judge" in capsys.readouterr().out  # by luck these strangers differ from the members
    model = folder / "lookup.skops"
    assert run(folder, str(model), *trusted(model)) == 0
    assert run(folder, str(model), *trusted(model), "--fail-above", "0.99") == 0


@pytest.mark.long
def test_columns_in_another_order_change_nothing(folder, capsys):
    FRAME.iloc[PARTS.index_out].to_csv(folder / "b2.csv", index=False)
    results = []
    for others in ("b.csv", "b2.csv"):
        assert run(folder, str(folder / "logistic.skops"), others=others) == 0
        results.append(json.loads((folder / "out.json").read_text("utf-8")))
        results[-1]["settings"].pop("seconds")
    assert results[0] == results[1]


@pytest.mark.long
def test_a_service_with_a_key(folder, monkeypatch, capsys):
    numbers = FRAME.assign(species=FLOWERS.y)
    for name, rows in (("na.csv", PARTS.index_in), ("nb.csv", PARTS.index_out)):
        numbers.iloc[rows].to_csv(folder / name, index=False)
    model = LogisticRegression(max_iter=500).fit(PARTS.X_in, PARTS.y_in)
    with serve(model, name="iris", keys={"alice": 200}) as url:
        monkeypatch.setenv("MIALAB_KEY", "alice")
        assert run(folder, "--url", url, "--name", "iris", members="na.csv", others="nb.csv") == 0
        assert "No shadow models" in (folder / "out.html").read_text("utf-8")
        capsys.readouterr()
        assert run(folder, "--url", url, "--name", "iris", members="na.csv", others="nb.csv") == 1
        assert "asks about 150 records, and 50 queries are left" in capsys.readouterr().err
        monkeypatch.setenv("MIALAB_KEY", "mallory")
        assert run(folder, "--url", url, "--name", "iris", members="na.csv", others="nb.csv") == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "kind"}, "has no column 'kind'"),
        ({"others": "a.csv"}, "are the same file"),
        ({"others": "none.csv"}, "there is no file"),
        ({"others": "empty.csv"}, "is no CSV file"),
        ({"others": "semicolons.csv"}, "Is it separated by semicolons?"),
        ({"others": "rosa.csv"}, "labels that the model does not know, ['rosa']"),
        ({"others": "narrow.csv"}, "non_members has no column 'petal width'"),
        ({"others": "holes.csv"}, "holds NaN or infinite values, and the model could not read it"),
        ({"others": "few.csv"}, "non_members holds 5 records"),
        ({"out": "report.txt"}, "should end in .html"),
    ],
)
def test_bad_files_are_answered_in_a_sentence(folder, capsys, changes, message):
    assert run(folder, str(folder / "logistic.skops"), **changes) == 1
    error = capsys.readouterr().err
    assert message in error and error.startswith("mialab: ") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model.pkl",), "a pickle or joblib file is not loaded"),
        (("lookup.skops",), "--trust"),
        (("none.skops",), "there is no file"),
        ((), "give either a model file or --url"),
        (("logistic.skops", "--drop", "nothing"), "has no column 'nothing'"),
        (("logistic.skops", "--base-rate", "3"), "base_rate"),
    ],
)
def test_bad_words_are_answered_in_a_sentence(folder, capsys, words, message):
    model = [str(folder / words[0])] if words else []
    assert run(folder, *model, *words[1:]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.long
def test_limits_of_every_kind_decide_the_exit_code(folder, capsys):
    model = folder / "lookup.skops"
    for limit, code in (("above=0", 3), ("tpr@0.05=0", 3), ("above=70", 0), ("auc=0.7", 3)):
        words = ["--fail-above", limit, "--attack", "RMIA", "--attack", "LiRA"]
        assert run(folder, str(model), *trusted(model), *words) == code, limit
    assert "above 0.7" in capsys.readouterr().out
    assert run(folder, str(model), "--fail-above", "recall=2") == 1
    assert "--fail-above is 'recall=2'; it should be an AUC such as 0.6" in capsys.readouterr().err


@pytest.mark.long
def test_answers_alone_a_recipe_groups_and_shadows_that_are_kept(folder, capsys, monkeypatch):
    model, kept = skops.io.load(folder / "logistic.skops"), folder / "kept.npz"
    for name, rows in (("pa.csv", PARTS.index_in), ("pb.csv", PARTS.index_out)):
        records = FRAME.iloc[rows]
        answers = model.predict_proba(records.drop(columns="species"))
        columns = {f"p_{label}": answers[:, j] for j, label in enumerate(model.classes_)}
        records.assign(garden=["north", "south", "north"] * 25, **columns).to_csv(folder / name, index=False)
    (folder / "recipes21.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n\n"
        "def make(seed):\n    return LogisticRegression(max_iter=500, random_state=seed)\n"
    )
    monkeypatch.chdir(folder)
    words = ["--answers", "p_", "--estimator", "recipes21:make", "--group", "garden", "--shadows-file", str(kept)]
    for expected in (4, 6):
        assert run(folder, *words, "--progress", "--shadows", str(expected), members="pa.csv", others="pb.csv") == 0
        data = json.loads((folder / "out.json").read_text("utf-8"))
        assert data["settings"]["n_shadows"] == expected and "RMIA" in {row["attack"] for row in data["attacks"]}
        assert [row["group"] for row in data["by_group"]] == ["north", "south"]
        assert "the blind baseline" in capsys.readouterr().err
    for wrong, message in (
        (["--answers", "q_"], "no column begins so"),
        (["--estimator", "nowhere:make"], "not found"),
    ):
        assert run(folder, *words, *wrong, members="pa.csv", others="pb.csv") == 1
        assert message in capsys.readouterr().err


@pytest.mark.long
def test_a_column_is_handed_to_every_fit_beside_its_record(folder, capsys, monkeypatch):
    for name, rows in (("wa.csv", PARTS.index_in), ("wb.csv", PARTS.index_out)):
        FRAME.iloc[rows].assign(weight=FRAME["sepal length"]).to_csv(folder / name, index=False)
    (folder / "weighed.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n\n"
        "class Weighed(LogisticRegression):\n"
        "    def fit(self, X, y, sample_weight):\n"
        "        assert 'weight' not in X and list(sample_weight) == list(X['sepal length'])\n"
        "        return super().fit(X, y, sample_weight)\n\n"
        "def make(seed):\n    return Weighed(max_iter=500, random_state=seed)\n"
    )
    monkeypatch.chdir(folder)
    words = [str(folder / "logistic.skops"), "--estimator", "weighed:make", "--attack", "RMIA"]
    assert run(folder, *words, "--fit-param", "sample_weight=weight", members="wa.csv", others="wb.csv") == 0
    assert "RMIA" in (folder / "out.html").read_text("utf-8")
    for wrong, message in (("sample_weight", "it should be NAME=COLUMN"), ("sample_weight=wait", "no column 'wait'")):
        assert run(folder, *words, "--fit-param", wrong, members="wa.csv", others="wb.csv") == 1
        assert message in capsys.readouterr().err
