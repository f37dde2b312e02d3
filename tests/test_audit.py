"""mialab.audit: the attacks are those by hand, the outcome is honest, bad input is answered, the report is one page."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from mialab import targets
from mialab.attacks import RMIA, LabelOnlyAttack, LiRA, ShadowAttack, ThresholdAttack
from mialab.audit import audit
from mialab.blackbox import QueryMeter, RemoteModel, serve
from mialab.data import load_clinic, load_iris, split
from mialab.metrics import evaluate
from mialab.nets import NetClassifier
from mialab.privacy import noise_for
from mialab.shadows import train_shadows

FLOWERS = load_iris()
PARTS = split(FLOWERS.X, FLOWERS.y, 75, 0)
IN, OUT = (PARTS.X_in, PARTS.y_in), (PARTS.X_out, PARTS.y_out)
LOOKUP = targets.make("knn-lookup").fit(*IN)
FOUND = audit(LOOKUP, IN, OUT, n_shadows=8, n_questions=20, name="look-up")


@pytest.mark.long
def test_the_table_is_the_attacks_by_hand():
    X, y = np.concatenate([IN[0], OUT[0]]), np.concatenate([IN[1], OUT[1]])
    is_member, rows = np.arange(150) < 75, np.arange(150)
    shadows = train_shadows(targets.make("knn-lookup"), X, y, 8, n_members=75, random_state=0)
    scores = {
        "largest confidence": ThresholdAttack("confidence").fit(LOOKUP).score_samples(X, y),
        "confidence in the label": ThresholdAttack("true_class").fit(LOOKUP).score_samples(X, y),
        "was it right": ThresholdAttack("correct").fit(LOOKUP).score_samples(X, y),
        "shadow attack": ShadowAttack().fit(LOOKUP, shadows).score_samples(X, y),
        "LiRA": LiRA(online=False).fit(LOOKUP, shadows).score_samples(X, y, index=rows),
        "RMIA": RMIA(online=False).fit(LOOKUP, shadows).score_samples(X, y, index=rows),
        "label only": LabelOnlyAttack(n_questions=20).fit(LOOKUP, shadows).score_samples(X, y),
    }
    assert list(FOUND.attacks) == list(scores)
    for name, values in scores.items():
        by_hand = evaluate(values, is_member)
        assert FOUND.attacks[name] == by_hand, name
        row = FOUND.table.loc[name]
        assert (row["auc"], row["null_sd"], row["tpr"]) == (by_hand.auc, by_hand.null_sd, by_hand.tpr_at(0.01))
        assert row["fpr"] == by_hand.tpr_at(0.01).fpr and row["above"] == (values[:75] > values[75:].max()).sum()
        assert row["who"] == ("outsider" if name in list(scores)[:3] else "auditor")
    leaking = FOUND.evidence[FOUND.evidence["leaks"]]
    assert FOUND.best == leaking.loc[leaking["log_chance"].idxmin(), "attack"]
    assert FOUND.accuracy == (1.0, (LOOKUP.predict(OUT[0]) == OUT[1]).mean())


def test_members_classes_and_defences_are_what_they_say():
    best = FOUND.attacks[FOUND.best]
    inside, outside = best.scores[:75], best.scores[75:]
    for _, row in FOUND.members.iterrows():
        assert row["as_high"] == pytest.approx((outside >= inside[int(row["row"])]).mean())
        assert row["label"] == IN[1][int(row["row"])]
    assert FOUND.members["as_high"].is_monotonic_increasing and len(FOUND.members) == 75
    assert FOUND.by_class["members"].tolist() == [25, 25, 25]
    labels = np.concatenate([IN[1], OUT[1]])
    for _, row in FOUND.by_class.iterrows():
        own = labels == row["class"]
        assert row["auc"] == evaluate(best.scores[own], best.is_member[own]).auc
    assert FOUND.defences["defence"].tolist() == ["none", "two digits", "one digit", "largest only", "label only"]
    assert FOUND.defences["auc"].iloc[0] == FOUND.attacks[FOUND.best].auc
    assert FOUND.defences["auc"].min() >= FOUND.attacks["label only"].auc  # which no output defence changes


def test_a_look_up_model_leaks_and_the_answer_says_how_much():
    assert FOUND.outcome == "leaks" and FOUND.table.loc[FOUND.best, "chance"] < 0.001
    assert f"{FOUND.attacks[FOUND.best].auc:.0%}" in str(FOUND) and "75 members" in str(FOUND)
    assert FOUND.attacks[FOUND.best].tpr_at(0.01) == 0 and "catches none of the members" in str(FOUND)
    assert "its strictest threshold accuses" in str(FOUND)  # the curve does not begin at nought
    other = replace(FOUND, best="RMIA", base_rate=0.1)
    assert other.table.loc["RMIA", "tpr"] > 0
    right = f"if 10% of those suspected were members, {other.table.loc['RMIA', 'precision']:.0%} of its accusations"
    assert right in str(other)
    assert any("differential privacy" in sentence for sentence in FOUND.advice())


@pytest.mark.long
@pytest.mark.parametrize("name", ["tree", "knn-lookup"])
def test_negative_control(name):
    """Members declared after training, at random: a leak may be reported once in twenty times, not more."""
    outcomes = []
    for seed in range(12):
        declared, trained = split(FLOWERS.X, FLOWERS.y, 75, seed), split(FLOWERS.X, FLOWERS.y, 75, 1000 + seed)
        model = targets.make(name).fit(trained.X_in, trained.y_in)
        found = audit(
            model,
            (declared.X_in, declared.y_in),
            (declared.X_out, declared.y_out),
            n_shadows=4,
            n_questions=0,
            random_state=seed,
        )
        outcomes.append(found.outcome)
    assert outcomes.count("leaks") <= 2
    assert "no leak found" not in outcomes  # 75 against 75 could not have shown enough for that


@pytest.mark.long
def test_with_records_enough_no_leak_is_a_finding_and_no_proof():
    clinic = load_clinic()
    parts = split(clinic.scaled, clinic.y, 600, 0, n_strangers=600)
    settings = {"hidden": 0, "epochs": 30, "learning_rate": 0.1, "l2": 0, "standardise": False}
    model = NetClassifier(**settings, clip=1.0, noise=noise_for(1, 30, 1e-4), random_state=0)
    model.fit(parts.X_in, parts.y_in)
    found = audit(model, (parts.X_in, parts.y_in), (parts.X_out, parts.y_out), n_shadows=4, n_questions=0)
    assert found.outcome == "no leak found" and "no proof" in str(found)
    assert 0.5 < found.smallest_auc < 0.6


def test_the_smallest_auc_has_the_power_that_is_claimed():
    """Scores from two bells that far apart are found in about four of five audits of that size."""
    from scipy.stats import norm

    shift = np.sqrt(2) * norm.ppf(FOUND.smallest_auc)
    rng, hits = np.random.default_rng(0), 0
    for _ in range(400):
        result = evaluate(rng.normal(size=150) + shift * (np.arange(150) < 75), np.arange(150) < 75)
        hits += len(FOUND.evidence) * norm.sf(result.z) < 0.05
    assert 0.7 < hits / 400 < 0.9


def without_time(found):
    data = found.to_dict()
    return data | {"settings": data["settings"] | {"seconds": 0}}


@pytest.mark.long
def test_frames_with_text_in_another_order_of_columns():
    frame = FLOWERS.frame.drop(columns="species")
    frame["colour"] = np.where(FLOWERS.X[:, 0] > 6, "blue", "violet")
    names = np.array(FLOWERS.class_names)[FLOWERS.y]
    pipe = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["colour"]), remainder="passthrough"),
        DecisionTreeClassifier(random_state=0),
    )
    rows_in, rows_out = PARTS.index_in, PARTS.index_out
    pipe.fit(frame.iloc[rows_in], names[rows_in])
    one = audit(pipe, (frame.iloc[rows_in], names[rows_in]), (frame.iloc[rows_out], names[rows_out]), n_shadows=4,
                n_questions=10)  # fmt: skip
    turned = frame[frame.columns[::-1]]
    two = audit(pipe, (turned.iloc[rows_in], names[rows_in]), (turned.iloc[rows_out], names[rows_out]), n_shadows=4,
                n_questions=10)  # fmt: skip
    assert without_time(one) == without_time(two)
    assert "label only" in one.attacks  # noise is added to the measurements, and the colour stays
    with pytest.raises(ValueError, match=r"members has no column 'colour', which the model was trained on"):
        audit(pipe, (frame.drop(columns="colour").iloc[rows_in], names[rows_in]), (frame, names))


@pytest.mark.long
def test_a_frame_of_numbers_gets_the_attacks_of_its_array():
    frame, rows_in, rows_out = FLOWERS.frame.drop(columns="species"), PARTS.index_in, PARTS.index_out
    model = targets.make("knn-lookup").fit(frame.iloc[rows_in], IN[1])
    found = audit(model, (frame.iloc[rows_in], IN[1]), (frame.iloc[rows_out], OUT[1]), n_shadows=8, n_questions=20)
    assert found.attacks == FOUND.attacks and found.settings["n_questions"] == 20
    assert not any("label-only" in note for note in found.notes)


def test_labels_alone_are_not_recommended_where_what_gets_past_them_was_not_tried():
    table = FOUND.defences.assign(auc=[0.9, 0.9, 0.8, 0.9, 0.5])  # "label only" seems to leave the least
    tried = replace(FOUND, defences=table)
    assert any("“label only” left the attacks the least" in sentence for sentence in tried.advice())
    not_tried = replace(tried, attacks={n: r for n, r in FOUND.attacks.items() if n != "label only"})
    assert any("“one digit” left the attacks the least" in sentence for sentence in not_tried.advice())


@pytest.mark.long
def test_remote_is_as_local_and_asks_each_record_once():
    with serve(LOOKUP, name="iris", keys={"auditor": 150}) as url:
        with RemoteModel(url, name="iris", key="auditor") as remote:
            far = audit(remote, IN, OUT, estimator=targets.make("knn-lookup"), n_shadows=8, name="look-up")
            assert remote.n_queries == 150
    for name, result in far.attacks.items():
        assert result == FOUND.attacks[name]
    assert "label only" not in far.attacks and any("ask the remote model" in note for note in far.notes)
    meter = QueryMeter(LOOKUP)
    alone = audit(meter, IN, OUT)
    assert meter.n_queries == 150 and list(alone.attacks) == list(FOUND.attacks)[:3]
    assert any("No shadow models" in note for note in alone.notes)
    assert any("estimator" in sentence for sentence in alone.advice())


def test_twins_are_noted_and_overlaps_refused():
    assert any("1 of 75 non-members are equal to a member" in note for note in FOUND.notes)  # rows 101 and 142
    many = (np.concatenate([OUT[0], IN[0][:20]]), np.concatenate([OUT[1], IN[1][:20]]))
    with pytest.raises(ValueError, match=r"members and non_members overlap: 21 of 95"):
        audit(LOOKUP, IN, many)
    with pytest.raises(ValueError, match=r"75 of 75"):
        audit(LOOKUP, IN, IN)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LOOKUP, IN[0], OUT), r"members should be a pair \(X, y\)"),
        ((LOOKUP, IN, (OUT[0][:9], OUT[1][:9])), r"non_members holds 9 records; fewer than 10"),
        ((LOOKUP, IN, (OUT[0], np.full(75, 7))), r"non_members has labels that the model does not know, \[7\]"),
        ((LOOKUP, IN, (OUT[0], OUT[1][:3])), r"the y of non_members"),
        ((LOOKUP, IN, (np.where(OUT[0] > 7, np.nan, OUT[0]), OUT[1])), r"X holds NaN or infinite values, and"),
        ((LOOKUP, IN, (OUT[0][:, :3], OUT[1])), r"4 columns and non_members 3"),
        ((LogisticRegression(), IN, OUT), r"no classes_"),
        ((LinearSVC().fit(*IN), IN, OUT), r"no predict_proba"),
        ((LogisticRegression, IN, OUT), r"is the class LogisticRegression"),
    ],
)
def test_bad_sets_are_answered_in_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        audit(*arguments)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_shadows": 3}, "n_shadows is 3; it should be 4 or more, or 0"),
        ({"n_shadows": -1}, "n_shadows"),
        ({"base_rate": 2}, "base_rate"),
        ({"n_questions": -1}, "n_questions"),
        ({"random_state": -1}, "random_state"),
        ({"estimator": LogisticRegression}, "estimator is"),
    ],
)
def test_bad_settings_are_answered_in_a_sentence(settings, message):
    with pytest.raises(ValueError, match=message):
        audit(LOOKUP, IN, OUT, **settings)


# The report


class Page(HTMLParser):
    """Notes tags, attributes and text; `open` is empty at the end if every tag was closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.long
def test_the_report_is_one_page_that_fetches_nothing():
    html = FOUND.to_html()
    page = Page(html)
    tags = [tag for tag, _ in page.tags]
    assert page.open == [] and tags.count("h1") == 1 and not {"script", "link", "iframe", "object"} & set(tags)
    for tag, attributes in page.tags:
        for key in ("src", "href"):
            assert attributes.get(key, "data:").startswith("data:"), (tag, attributes)
        assert not any(key.startswith("on") for key in attributes)
        if tag == "img":
            assert len(attributes["alt"].split()) > 5
    assert "http" not in html.split("base64")[0] and "url(" not in html
    assert dict(page.tags)["html"]["lang"] == "en"
    assert "“2” are told apart best" in page.text
    for words in (str(FOUND), "What this does not prove", "no legal advice", *FOUND.advice(), *FOUND.threats.values()):
        assert words in page.text
    assert html == FOUND.to_html()  # nothing in it depends on when it is written


def test_the_report_shows_no_record_and_no_recorded_label_of_one():
    text = Page(FOUND.to_html()).text
    assert text.index("Confidential.") < text.index("Who is affected")
    exposed = text[text.index("members most exposed") : text.index("Output defences")]
    assert "label" not in exposed and "label" not in FOUND.to_dict()["members"][0]
    for row in IN[0][:5]:
        assert "  ".join(map(str, row)) not in text and ", ".join(map(str, row)) not in text


@pytest.mark.long
def test_names_are_escaped():
    label = np.array(["<script>alert(1)</script>", "b", "c"])
    model = RandomForestClassifier(5, random_state=0).fit(IN[0], label[IN[1]])
    found = audit(model, (IN[0], label[IN[1]]), (OUT[0], label[OUT[1]]), n_shadows=4, n_questions=0, name="<img src=x>")
    page = Page(found.to_html())
    assert "script" not in [tag for tag, _ in page.tags] and "<img src=x>" in page.text
    assert sum(tag == "img" for tag, _ in page.tags) == 1


@pytest.mark.long
def test_save_writes_both_files_and_overwrites_nothing(tmp_path):
    page, numbers = FOUND.save(tmp_path / "report.html")
    assert page.read_text("utf-8") == FOUND.to_html()
    data = json.loads(numbers.read_text("utf-8"))
    assert data == json.loads(json.dumps(FOUND.to_dict()))
    assert data["schema"] == "mialab-audit-2" and data["outcome"] == "leaks"
    assert {row["attack"]: row["auc"] for row in data["attacks"]} == {n: r.auc for n, r in FOUND.attacks.items()}
    with pytest.raises(ValueError, match="is there already"):
        FOUND.save(tmp_path / "report.html")
    FOUND.save(tmp_path / "report.html", overwrite=True)
    with pytest.raises(ValueError, match=r"should end in \.html"):
        FOUND.save(tmp_path / "report.txt")


def test_a_thin_audit_says_so_and_writes_a_report():
    few = [(X[::7], y[::7]) for X, y in (IN, OUT)]
    model = targets.make("logistic").fit(*few[0])
    found = audit(model, *few, n_shadows=0)
    assert found.outcome == "too little evidence" and "more records" in str(found)
    assert found.by_class["auc"].isna().all() and found.members["models"].isna().all()
    assert "Too little evidence" in found.to_html() and json.dumps(found.to_dict(), allow_nan=False)
