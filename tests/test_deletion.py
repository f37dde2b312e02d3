"""What is left of a record that was taken out, and what its going does to those that stay."""

import numpy as np
import pytest

from mialab.data import load_iris
from mialab.exposure import deletion, exposure
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.targets import make

FLOWERS = load_iris()
# Records 3 and 4 are neighbours among strangers to their label: each gives the other away less than itself.
X = np.array([[0.0], [0.2], [0.4], [0.50], [0.52], [0.6], [0.8], [1.0], [9.0], [9.1], [9.2], [9.3]])
Y = np.array(["a", "a", "a", "b", "b", "a", "a", "a", "b", "b", "b", "b"])


def test_a_record_whose_neighbour_goes_is_exposed_all_the_more():
    found = deletion(make("one-nn"), X, Y, removed=[3], n_shadows=64, random_state=0)
    table = found.frame
    assert table["removed"].tolist() == [i == 3 for i in range(12)]
    assert 0.6 < table.loc[4, "before"] < 0.9 and table.loc[4, "after"] == 1.0
    assert table.loc[4, "change"] > 2 * table.loc[4, "se"] > 0
    assert table.loc[3, "before"] > 0.6 and abs(table.loc[3, "after"] - 0.5) < 0.2
    assert "1 of 12 records taken out: their exposure was" in repr(found)


def test_who_is_retrained_never_saw_the_record_and_keeps_its_other_members():
    seen = []

    class Notes(type(make("tree"))):
        def fit(self, X, y):
            seen.append({tuple(row) for row in X.tolist()})
            return super().fit(X, y)

    deletion(Notes(), X, Y, removed=[2, 9], n_shadows=8, random_state=0)
    gone = {(0.4,), (9.1,)}
    before, after = seen[:8], seen[8:]
    assert after == [members - gone for members in before]
    assert sum(bool(members & gone) for members in before) >= 4


def test_what_forgets_nothing_leaves_all_as_it_was_and_is_asked_about_its_own():
    asked = []

    def keep(model, members, rows):
        asked.append((members, rows))
        return model

    found = deletion(make("tree"), FLOWERS.X, FLOWERS.y, [83, 133], keep, n_shadows=8, random_state=1)
    assert (found.after.auc == found.before.auc).all() and (found.frame["change"] == 0).all()
    for (members, rows), mask in zip(asked, found.before.in_mask, strict=True):
        assert (members == mask).all() and set(rows.tolist()) == {83, 133} & set(np.flatnonzero(mask).tolist())


def test_an_unlearning_that_trains_anew_is_the_default():
    """Of the look-up, in which nothing is left to chance; and a net is trained in batch."""

    def anew(model, members, rows):
        stays = members.copy()
        stays[rows] = False
        return make("knn-lookup").fit(FLOWERS.X[stays], FLOWERS.y[stays])

    one, other = (
        deletion(make("knn-lookup"), FLOWERS.X, FLOWERS.y, [83], way, n_shadows=8, random_state=2)
        for way in (None, anew)
    )
    assert one.after.auc == pytest.approx(other.after.auc)
    nets = deletion(NetClassifier(hidden=4, epochs=20), FLOWERS.X, FLOWERS.y, [83], n_shadows=8, random_state=2)
    assert nets.after.in_mask[:, 83].sum() == 4  # it is judged by who once had it


def test_you_may_choose_who_trains_each_shadow():
    mask = np.array([[True, False] * 6, [False, True] * 6, [True] * 12])
    shadows = train_shadows(make("one-nn"), X, Y, in_mask=mask, random_state=0)
    assert (shadows.in_mask == mask).all() and len(shadows.models) == 3
    for members, proba in zip(mask, shadows.proba, strict=True):
        assert (proba == make("one-nn").fit(X[members], Y[members]).predict_proba(X)).all()
    assert exposure(train_shadows(make("one-nn"), X, Y, 8, random_state=0)).auc.shape == (12,)
    for bad in (mask[:, :3], mask.astype(int), mask & False):
        with pytest.raises(ValueError, match="in_mask"):
            train_shadows(make("one-nn"), X, Y, in_mask=bad)


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ([12], "removed is 12"),
        ([], "removed names 0 of 12"),
        (range(12), "removed names 12"),
        ([1.5], "removed is 1.5"),
    ],
)
def test_rows_that_cannot_go_are_refused(removed, message):
    with pytest.raises(ValueError, match=message):
        deletion(make("one-nn"), X, Y, list(removed), n_shadows=8)
