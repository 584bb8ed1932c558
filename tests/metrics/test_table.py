"""docs/metrics.md says what is there, no more and no less, and nothing of it grows with devices."""

import subprocess

import pytest
import yaml
from prometheus_client import generate_latest

from hack.chart.dashboard import document, queries
from hack.chart.programs import FetchError, promtool
from hack.testbed.processes import ROOT

from .declared import Metric, declared, registries
from .queries import asked

DOCS = ROOT / "docs" / "metrics.md"
RULES = ROOT / "charts" / "petiole" / "files" / "rules.yaml"


def rows(heading):
    """The table below a heading, without its head."""
    text = DOCS.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words(cell):
    return tuple(word.strip("` ") for word in cell.split(",") if word.strip())


def test_the_table_is_what_the_registries_have():
    written = {}
    for name, kind, labels, says in rows("What there is"):
        (name,) = words(name)
        assert name not in written, name
        written[name] = Metric(name, kind, words(labels), says)
    assert written == declared()


def test_every_label_has_few_values_that_are_written_down():
    used = {label for metric in declared().values() for label in metric.labels}
    bounded = {word for label, *_ in rows("Labels") for word in words(label)}
    assert used == bounded
    assert not used & {"device", "id", "digest", "run", "pod", "instance", "job", "namespace"}


def test_each_is_looked_at():
    """A metric that no panel and no alert asks for would only cost."""
    alerts = [r["expr"] for g in yaml.safe_load(RULES.read_text())["groups"] for r in g["rules"]]
    seen = set().union(*map(asked, [*alerts, *(query for _, query in queries(document()))]))
    idle = [m.name for m in declared().values() if not m.samples & seen]
    assert idle == []


@pytest.mark.parametrize("process", ["operator", "gateway"])
def test_prometheus_finds_nothing_against_the_names(process):
    try:
        program = promtool()
    except FetchError as error:
        pytest.skip(str(error))
    text = generate_latest(registries()[process])
    lines = [line for line in text.splitlines() if b"petiole_" in line]
    command = [program, "check", "metrics"]
    done = subprocess.run(command, input=b"\n".join(lines) + b"\n", capture_output=True, timeout=60)
    said = (done.stdout + done.stderr).decode()
    assert (done.returncode, said) == (0, "")
    bad = b"# HELP petiole_hours x\n# TYPE petiole_hours counter\npetiole_hours 1\n"
    worse = subprocess.run(command, input=bad, capture_output=True, timeout=60)
    assert b"petiole_hours" in worse.stdout + worse.stderr
