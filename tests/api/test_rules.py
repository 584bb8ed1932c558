"""Every rule between fields on the real API server: kept, and broken."""

from __future__ import annotations

import copy
import itertools

import pytest

from .cases import EXAMPLES, RULES, of_rule
from .rules import RuleCase, rules
from .server import Api

_numbers = itertools.count(1)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.message)
def test_rule(api: Api, rule: RuleCase) -> None:
    name = f"updated-{next(_numbers)}"
    if rule.update:
        example = copy.deepcopy(rule.example or EXAMPLES[rule.kind])
        example["metadata"]["name"] = name
        assert api.create(example) == []
    for case in of_rule(rule):
        if rule.update:
            case.document["metadata"]["name"] = name
        causes = (api.update_objections if rule.update else api.objections)(case.document)
        assert case.holds(causes), (case, causes)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_rule_has_a_case(kind: str) -> None:
    written = [rule["message"] for rule in rules(kind)]
    assert len(written) > 1
    cases = [case.message for case in RULES if case.kind == kind]
    assert [message for message in written if not any(c in message for c in cases)] == []
    assert [c for c in cases if not any(c in message for message in written)] == []
