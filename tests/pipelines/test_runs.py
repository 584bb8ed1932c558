"""Runs of machines as people keep them: read as they are, or refused in words."""

import numpy as np
import pytest

from petiole_pipelines import runs
from petiole_pipelines.errors import StepError
from tests.pipelines.machines import BASELINE, FAULT, SENSORS, csv, readings


def put(folder, **files):
    for name, content in files.items():
        path = folder / f"{name.replace('_', '/')}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read(folder, sensors=3):
    return runs.read(folder.as_uri(), "pool", sensors=sensors, longer_than=BASELINE)


@pytest.mark.parametrize("separator", [";", ","])
def test_a_run_is_read_as_it_is(tmp_path, separator):
    run = readings(1)
    put(tmp_path, bed_1=csv(run, separator=separator), bed_2=csv(run, faults=False))
    (tmp_path / "labels.csv").write_text("id,label\n")
    (tmp_path / ".hidden.csv").write_text("no")
    found = read(tmp_path)
    first, second = found.runs
    assert [one.name for one in found.runs] == ["bed/1", "bed/2"]
    assert first.group == "bed"
    assert found.sensors == SENSORS
    assert first.readings == pytest.approx(run, rel=1e-5)
    assert np.flatnonzero(first.faulty).tolist() == list(range(FAULT.start, FAULT.stop))
    assert (first.known, second.known, second.faulty.any()) == (True, False, False)
    record = found.record()
    assert (record["samples"], record["withFaultsTold"], len(record["digest"])) == (2, 1, 64)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has no readings"),
        (b"datetime;a;b;c\n", "has no readings"),
        (b"a;b;c\n1;2\n", r"bed/1\.csv: line 2"),
        (b"a;b;c\n1;2;warm\n", "could not convert string to float: 'warm'"),
        (b"a;b;c\n1;2;nan\n", "line 2: a reading is missing"),
        (b"\xff\xfe", "codec can't decode"),
        (b'a;b;c\n"1' + 140_000 * b";2", "field larger than field limit"),
        (csv(readings(1)[:BASELINE], faults=False), "baseline alone takes 300"),
    ],
)
def test_a_file_that_is_no_run_is_named(tmp_path, content, words):
    put(tmp_path, bed_1=content)
    with pytest.raises(StepError, match=words) as caught:
        read(tmp_path)
    assert caught.value.reason == "DataInvalid"


def test_runs_with_other_sensors_are_told_apart(tmp_path):
    put(tmp_path, a=csv(readings(1)), b=csv(readings(2)).replace(b"Current", b"Voltage"))
    with pytest.raises(StepError, match=r"Voltage.*all runs need the same columns"):
        read(tmp_path)
    put(tmp_path, b=csv(readings(2)))
    with pytest.raises(StepError, match=r"has 3 sensors .*spec.task.input.channels is 4"):
        read(tmp_path, sensors=4)


def test_a_folder_without_runs_is_missing_data(tmp_path):
    with pytest.raises(StepError, match="holds no runs") as caught:
        read(tmp_path)
    assert caught.value.reason == "DataMissing"
