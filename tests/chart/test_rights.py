"""The rights that the chart gives ServiceAccounts, and what the docs say of them."""

import re
from dataclasses import replace

import pytest

from hack.testbed.rights import OPERATOR, chart, granted

from .chart import MATRIX

VERBS = "get|list|watch|create|update|patch|delete"


@pytest.mark.parametrize("row", MATRIX)
def test_no_values_give_a_right_that_the_tests_do_without(row, rendered):
    """What the operator has in all tests is the most that the chart can give it."""
    may = granted(rendered[row])
    own = {replace(right, account=right.account.replace("tiny", "petiole")) for right in may}
    assert own <= granted(chart()).keys()
    assert {right.account for right in own} >= {OPERATOR}


def test_the_docs_name_each_right(root):
    text = (root / "docs" / "security.md").read_text()
    section = text.partition("## Rights in the cluster\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", section, re.MULTILINE)
    told = {
        (resource, verb)
        for objects, verbs in rows
        for resource in re.findall(r"`(.*?)`", objects)
        for verb in re.findall(VERBS, verbs)
    }
    may = granted(chart())
    assert told == {(right.resource, right.verb) for right in may if right.account == OPERATOR}
