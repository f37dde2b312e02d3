"""The comparison of notebooks' figures: what another processor may change, and what it may not."""

import pytest
from nearly import Output, nearly


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.250 (95% interval 0.225 to 0.274, 30 splits)", "0.257 (95% interval 0.235 to 0.279, 30 splits)"),
        ("<td>0.7941</td>", "<td>0.7947</td>"),
        ("33% of the pairs", "34% of the pairs"),
        ("rounding  -0.001 to 0.004", "rounding   0.000 to 0.004"),
        ("12.3 queries", "12.4 queries"),
        ("no figure", "no figure"),
    ],
)
def test_what_another_processor_may_change(one, other):
    assert nearly(one, other) and nearly(other, one)
    assert Output(one) == other and not Output(one) != other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AUC 0.50", "AUC 0.52"),
        ("AUC 0.812", "AUC -0.812"),
        ("33% of the pairs", "35% of the pairs"),
        ("12.3 queries", "12.5 queries"),
        ("75 members", "76 members"),
        ("0.5 for the net", "0.5 for the tree"),
        ("tree 0.50 net 0.51", "net 0.51 tree 0.50"),
        ("0.5 0.5", "0.5"),
        ("1.00", "nan"),
        ("partly", "supported"),
    ],
)
def test_what_it_may_not(one, other):
    assert not nearly(one, other) and not nearly(other, one)
    assert Output(one) != other and not Output(one) == other
