"""The alerts: what they count is counted, and each comes when it shall."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from hack.chart.programs import FetchError, promtool
from hack.chart.render import CHART
from tests.metrics.declared import declared
from tests.metrics.queries import labels_by_sample, unknown

RULES = CHART / "files" / "rules.yaml"
CASES = Path(__file__).with_name("rules_test.yaml")


@pytest.fixture(scope="module")
def program():
    try:
        return promtool()
    except FetchError as error:
        pytest.skip(str(error))


def rules():
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def test_alerts_ask_for_what_is_counted():
    known = labels_by_sample(declared())
    for rule in rules():
        assert unknown(rule["expr"], known) == set(), rule["alert"]


def test_every_alert_has_words_and_a_case():
    named = {c["alertname"] for t in _cases() for c in t["alert_rule_test"]}
    fires = {c["alertname"] for t in _cases() for c in t["alert_rule_test"] if "exp_alerts" in c}
    for rule in rules():
        assert {"summary", "description"} == set(rule["annotations"])
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["alert"] in fires
    assert named == fires == {rule["alert"] for rule in rules()}


def _cases():
    return yaml.safe_load(CASES.read_text())["tests"]


def test_promtool_reads_them(program):
    done = subprocess.run([program, "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_comes_when_it_shall(program, tmp_path):
    document = yaml.safe_load(RULES.read_text())
    for rule in (rule for group in document["groups"] for rule in group["rules"]):
        del rule["annotations"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(document))
    shutil.copy(CASES, tmp_path)
    test = [program, "test", "rules", tmp_path / CASES.name]
    done = subprocess.run(test, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
