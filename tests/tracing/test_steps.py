"""Steps of the real pipeline, each in a process of its own, in the trace that their run is in."""

import pytest

from petiole.tracing import VARIABLE, Place
from tests.pipelines.conftest import orchard  # noqa: F401 - a fixture

PLACE = Place.named("round/uid-1/1").below("Querying")


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_steps_of_a_real_run_are_spans(collector, orchard):  # noqa: F811
    place = {VARIABLE: f"00-{PLACE.trace:032x}-{PLACE.span:016x}-01"}
    told = collector.environment | place
    orchard.document(orchard.run("Query", "digits-r1-0-query", variables=told))
    steps = sorted(collector.spans, key=lambda span: span.began)
    assert [span.name for span in steps] == ["embed", "teacher", "select"]
    assert {(span.service, span.trace, span.parent) for span in steps} == {
        ("petiole-pipelines", f"{PLACE.trace:032x}", f"{PLACE.span:016x}")
    }
