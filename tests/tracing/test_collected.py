"""What a collector gets of one process, and what that process does without one."""

import logging
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from hack.testbed.waits import free_port
from petiole import tracing
from petiole.tracing import Done, Place
from petiole.tracing.spans import wanted
from petiole_pipelines.errors import StepError, step

ROOT = Place.named("round/uid-1/1")
STEP = ROOT.below("Querying")
AT = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def traced_id(place):
    return f"{place.trace:032x}", f"{place.span:016x}"


def test_a_span_that_is_over_has_its_place_and_its_times(told):
    later = AT + timedelta(days=2, milliseconds=5)
    tracing.tell([Done("Querying", STEP, ROOT, AT, later, {"petiole.round": 1})])
    tracing.tell([Done("round", ROOT, None, AT, AT)])
    (step_,), (root,) = told.until("Querying"), told.until("round")
    assert (step_.trace, step_.id) == traced_id(STEP)
    assert (root.trace, root.id, root.parent) == (*traced_id(ROOT), "")
    assert step_.parent == root.id
    assert step_.began == AT.timestamp()
    assert step_.ended - step_.began == pytest.approx(2 * 86400 + 0.005, abs=1e-6)
    assert step_.attributes == {"petiole.round": 1}
    assert (step_.service, step_.error) == ("petiole-test", None)


def test_a_span_is_below_where_it_happens_and_nowhere_is_none(told):
    with tracing.span("alone"):
        pass
    with tracing.within(STEP):
        with tracing.span("StartRun"):
            time.sleep(0.01)
        with tracing.within(None), tracing.span("still there"):
            pass
    with tracing.span("alone again"):
        pass
    (started,), (there,) = told.until("StartRun"), told.until("still there")
    assert (started.trace, started.parent) == traced_id(STEP)
    assert there.parent == started.parent
    assert started.ended - started.began >= 0.01
    assert {span.name for span in told.spans} == {"StartRun", "still there"}


def test_what_fails_is_an_error_without_its_words(told):
    with pytest.raises(StepError), tracing.within(STEP), tracing.span("embed"):
        raise StepError("DataInvalid", "secret-sample.png cannot be read")
    with pytest.raises(ValueError, match="words"), tracing.within(STEP), tracing.span("Pack"):
        raise ValueError("words")
    assert told.until("embed")[0].error == "DataInvalid"
    assert told.until("Pack")[0].error == "ValueError"


def test_another_process_goes_on_where_this_one_is(told):
    with tracing.within(STEP), tracing.span("PutPlan"):
        headers = tracing.headers()  # the place: the span of a call is lost when that dies
    trace, span = traced_id(STEP)
    assert headers == {"traceparent": f"00-{trace}-{span}-01"}
    with tracing.continued(headers["traceparent"]), tracing.span("plan"):
        assert tracing.here() == STEP
    assert told.until("plan")[0].parent == span


@pytest.mark.parametrize("given", ["", "00-0-0-00", "rubbish", f"00-{'0' * 32}-{'1' * 16}-01"])
def test_a_place_that_cannot_be_read_is_none(told, given):
    with tracing.continued(given):
        assert tracing.here() is None
        assert tracing.headers() == {}


def test_who_is_told_that_nobody_samples_does_not_either(told):
    trace, span = traced_id(STEP)
    with tracing.continued(f"00-{trace}-{span}-00"), tracing.span("plan"):
        assert tracing.headers() == {"traceparent": f"00-{trace}-{span}-00"}
    with tracing.within(STEP), tracing.span("last"):
        pass
    told.until("last")
    assert told.named("plan") == []


def test_a_run_is_told_where_it_is_and_who_listens_and_no_secret(told, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hidden")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "the-operator")
    assert tracing.variables() == {}
    with tracing.within(STEP):
        found = tracing.variables()
    assert found == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": told.environment["OTEL_EXPORTER_OTLP_ENDPOINT"],
        "OTEL_SERVICE_NAME": "petiole-pipelines",
        "TRACEPARENT": "00-{}-{}-01".format(*traced_id(STEP)),
    }


def test_a_share_of_the_traces_is_the_same_everywhere(collector, monkeypatch):
    """The sampler decides by the trace's id, so no process has to ask another."""
    for name, value in collector.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    places = [Place.named(f"round/u/{number}") for number in range(40)]
    flags = {}
    with tracing.process("petiole-test"):
        for place in places:
            tracing.tell([Done("round", place, None, AT, AT)])
            with tracing.within(place), tracing.span("StartRun"):
                flags[traced_id(place)[0]] = tracing.headers()["traceparent"][-2:]
    sampled = {trace for trace, flag in flags.items() if flag == "01"}
    assert 5 < len(sampled) < 35
    assert {s.trace for s in collector.named("round")} == sampled
    assert {s.trace for s in collector.named("StartRun")} == sampled


def test_log_lines_say_where_they_were_written(told):
    log = structlog.get_logger()
    with capture_logs([tracing.mark]) as lines:
        log.info("outside")
        with tracing.within(STEP), tracing.span("plan"):
            log.info("inside")
    span = told.until("plan")[0]
    outside, inside = (line for line in lines if line["event"] in ("outside", "inside"))
    assert "trace_id" not in outside
    assert (inside["trace_id"], inside["span_id"]) == (span.trace, span.id)


def test_what_the_sdk_complains_of_is_said_once_a_minute(told):
    with capture_logs() as lines:
        for name in ("refused", "refused again"):
            logging.getLogger("opentelemetry.exporter").warning("%s by the collector", name)
    said = [line["text"] for line in lines if line["event"] == "traces are not delivered"]
    assert said == ["refused by the collector"]


@step
def embed(outcome):
    if outcome == "fail":
        raise StepError("NoLabels", "no sample has a label yet")
    return tracing.on()


def test_a_step_of_a_pipeline_is_a_span(collector, monkeypatch):
    for name, value in collector.environment.items():
        monkeypatch.setenv(name, value)
    assert embed("succeed") is False  # of no trace
    trace, span = traced_id(STEP)
    monkeypatch.setenv(tracing.VARIABLE, f"00-{trace}-{span}-01")
    assert embed("succeed") is True
    with pytest.raises(StepError):
        embed("fail")
    good, bad = collector.named("embed")  # there already: a step waits until it has told
    assert {(s.service, s.trace, s.parent) for s in (good, bad)} == {
        ("petiole-pipelines", trace, span)
    }
    assert (good.error, bad.error) == (None, "NoLabels")
    assert not tracing.on()


# --- a collector that is away -------------------------------------------------------------------


@pytest.fixture(params=["refuses", "is silent"])
def away(request, monkeypatch):
    """The address of a collector that takes nothing."""
    with socket.socket() as listening:
        if request.param == "refuses":
            port = free_port()
        else:
            listening.bind(("127.0.0.1", 0))
            listening.listen(1)
            port = listening.getsockname()[1]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield request.param


def test_a_collector_that_is_away_holds_nothing_up(away):
    slowest = 0.0
    with tracing.process("petiole-test"):
        for _ in range(1000):  # more than wait at once
            began = time.monotonic()
            tracing.tell([Done("round", ROOT, None, AT, AT)])
            with tracing.within(STEP), tracing.span("StartRun"):
                pass
            slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.2)
        ending = time.monotonic()
    took = time.monotonic() - ending
    assert slowest < 0.5
    assert took < 2.0


@pytest.mark.parametrize("away", ["is silent"], indirect=True)
def test_a_step_succeeds_though_its_collector_is_away(away, monkeypatch):
    trace, span = traced_id(STEP)
    monkeypatch.setenv(tracing.VARIABLE, f"00-{trace}-{span}-01")
    began = time.monotonic()
    assert embed("succeed") is True
    assert time.monotonic() - began < 3.0


# --- off ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
    ],
)
def test_the_standard_variables_switch_it_on(given, on):
    assert wanted(given) is on


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is 'zipkin'"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'",
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"},
            "max_queue_size",
        ),
    ],
)
def test_variables_that_mean_nothing_here_are_named_and_end_nothing(given, words, monkeypatch):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with capture_logs() as lines, tracing.process("petiole-test"):
        assert not tracing.on()
    (line,) = (line for line in lines if line["event"] == "no traces")
    assert line["log_level"] == "warning"
    assert words in line["text"]


def test_off_nothing_happens():
    assert not tracing.on()

    def never():
        raise AssertionError("asked for spans")
        yield

    tracing.tell(never())
    with tracing.within(STEP), tracing.span("StartRun"):
        assert (tracing.headers(), tracing.variables(), tracing.here()) == ({}, {}, None)
        assert tracing.mark(None, "info", {"event": "x"}) == {"event": "x"}


# Both commands are run until they find something to complain of, which is when all is imported.
BOTH = """
import sys
from pathlib import Path
from petiole.cli.main import app

def run(*words):
    try:
        app(words)
    except SystemExit as end:
        assert end.code == 2, end.code

folder, taken = Path(sys.argv[1]), sys.argv[2]
(folder / "kubeconfig").write_text("{}")
store = folder.as_uri()
run("operator", "--gateway-url", "http://127.0.0.1:9", "--gateway-token", "t", "--store", store,
    "--work", str(folder), "--signing-key", "none.pem", "--kubeconfig", str(folder / "kubeconfig"))
run("gateway", "--gateway-token", "t", "--store", store, "--listen-port", taken)
assert {"petiole.controller.process", "petiole.gateway.main", "petiole.tracing"} <= set(sys.modules)
unwanted = ("opentelemetry.sdk", "opentelemetry.exporter")
print(*(name for name in sys.modules if name.startswith(unwanted)))
"""


def test_off_operator_and_gateway_import_no_sdk(tmp_path):
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", BOTH, str(tmp_path), port],
            env=quiet | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_no_provider_is_set_for_libraries_to_find(told):
    """FastAPI would tell of each request, with its address, if it found one."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import get_tracer_provider

    assert not isinstance(get_tracer_provider(), TracerProvider)
    assert logging.getLogger("opentelemetry").propagate is False
