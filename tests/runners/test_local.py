"""The local runner with real children: one run a name, whoever starts it, whoever dies."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from petiole.runners.base import Credentials, RunKey, RunnerError
from petiole.runners.local import LocalRunner

CHILD = (sys.executable, str(Path(__file__).with_name("child.py")))


def key(name="leaf-r1"):
    return RunKey(name, "default", "leaf", "uid", f"models/uid/rounds/{name}")


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def trace(tmp_path):
    file = tmp_path / "trace"
    file.touch()
    return file


@pytest.fixture
def runner(work):
    made = LocalRunner(work, command=CHILD)
    yield made
    for folder in work.iterdir():
        made.cancel(key(folder.name))


def start(runner, trace, name="leaf-r1", *, sleep=0.0, end="succeed", deadline=60.0):
    wants = {"sleep": sleep, "end": end, "trace": str(trace)}
    return runner.start(key(name), "learning_round", wants, deadline)


def until_over(runner, name="leaf-r1", seconds=20.0):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        run = runner.find(key(name))
        if run is not None and run.state != "Running":
            return run
        time.sleep(0.05)
    raise AssertionError(f"{name} was not over after {seconds} s")


def until_started(trace, count=1, seconds=20.0):
    limit = time.monotonic() + seconds
    while len(trace.read_text().splitlines()) < count:
        assert time.monotonic() < limit, f"no {count} children after {seconds} s"
        time.sleep(0.02)


def test_a_run_succeeds_with_its_outputs(runner, trace):
    assert runner.find(key()) is None
    assert start(runner, trace).state == "Running"
    run = until_over(runner)
    assert (run.state, run.outputs) == ("Succeeded", {"query.json": "somewhere"})


def test_starting_twice_makes_one_run(runner, work, trace):
    others = [LocalRunner(work, command=CHILD) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda r: start(r, trace, sleep=1.0), [runner, *others] * 2))
    assert until_over(runner).state == "Succeeded"
    assert start(runner, trace).state == "Succeeded"
    assert len(trace.read_text().splitlines()) == 1
    assert [path.name for path in work.iterdir()] == ["leaf-r1"]


def test_a_failing_step_is_named(runner, trace):
    start(runner, trace, end="fail")
    run = until_over(runner)
    assert (run.state, run.reason, run.step) == ("Failed", "StepFailed", "embed")
    assert run.message == "embed: no samples in the pool"


def test_a_dead_child_leaves_its_last_words(runner, trace):
    start(runner, trace, end="die")
    run = until_over(runner)
    assert (run.state, run.reason) == ("Failed", "Died")
    assert "out of luck" in run.message


def test_a_command_that_never_takes_the_run_is_not_started_again(work):
    runner = LocalRunner(work, command=(sys.executable, "-c", "raise SystemExit('no such module')"))
    runner.start(key(), "learning_round", {}, 60.0)
    run = until_over(runner)
    assert run.reason == "Died"
    assert "no such module" in run.message


def test_an_overrunning_child_is_ended(runner, trace, monkeypatch):
    monkeypatch.setattr("petiole.runners.local._DEADLINE_GRACE", 0.2)
    start(runner, trace, sleep=600, deadline=0.5)
    until_started(trace)
    run = until_over(runner)
    assert run.reason == "DeadlineExceeded"
    assert "spec.learning.deadline" in run.message
    until_dead(int(trace.read_text().split()[1]))


def test_cancel_ends_the_child(runner, trace):
    start(runner, trace, sleep=600)
    until_started(trace)
    runner.cancel(key())
    assert until_over(runner).reason == "Canceled"
    runner.cancel(key("nobody"))


def test_a_child_outlives_the_process_that_started_it(work, trace):
    """SIGKILL of the starter: the run goes on, and another runner finds it and starts no second."""
    code = (
        "import sys, os, signal; from pathlib import Path\n"
        "from petiole.runners.local import LocalRunner; from petiole.runners.base import RunKey\n"
        f"runner = LocalRunner(Path({str(work)!r}), command={CHILD!r})\n"
        f"wants = {{'sleep': 1.5, 'end': 'succeed', 'trace': {str(trace)!r}}}\n"
        f"runner.start({key()!r}, 'learning_round', wants, 60.0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join(sys.path)
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, timeout=30)
    after = LocalRunner(work, command=CHILD)
    start(after, trace)
    assert until_over(after).state == "Succeeded"
    assert len(trace.read_text().splitlines()) == 1


def test_a_run_created_but_never_started_is_started(work, trace):
    """The starter died between the folder and the child: there is no run yet, and one is made."""
    LocalRunner(work, command=("true",)).start(
        key(), "learning_round", {"sleep": 0, "end": "succeed", "trace": str(trace)}, 60.0
    )
    after = LocalRunner(work, command=CHILD)
    assert after.find(key()) is None
    start(after, trace)
    assert until_over(after).state == "Succeeded"


def test_a_missing_work_folder_is_named(tmp_path, trace):
    (tmp_path / "file").touch()
    with pytest.raises(RunnerError, match="--work"):
        start(LocalRunner(tmp_path / "file" / "work", command=CHILD), trace)


def test_a_damaged_run_is_named(runner, work):
    (work / "leaf-r1").mkdir()
    (work / "leaf-r1" / "run.json").write_text("{")
    (work / "leaf-r1" / "result.json").write_text("not json")
    with pytest.raises(RunnerError, match="Remove that folder"):
        runner.find(key())
    (work / "leaf-r1" / "result.json").unlink()


def until_dead(pid, seconds=10.0):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} still runs")


def test_credentials_are_variables_of_the_child_and_written_nowhere(work, tmp_path):
    seen = tmp_path / "seen"
    code = f"import os; open({str(seen)!r}, 'w').write(os.environ['PETIOLE_DATA_AWS_REGION'])"
    runner = LocalRunner(work, command=(sys.executable, "-c", code), environment={"A": "b"})
    given = Credentials("orchard", {"AWS_REGION": "rome-q9"})
    runner.start(key(), "learning_round", {}, 60.0, given)
    until_over(runner)
    assert seen.read_text() == "rome-q9"
    assert "rome-q9" not in repr(given)
    files = [path for path in work.rglob("*") if path.is_file()]
    assert files
    assert not any("rome-q9" in path.read_text() for path in files)
