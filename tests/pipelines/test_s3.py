"""Data sets on a real S3 server that checks signatures and rights."""

import os

import obstore
import pytest
from obstore.exceptions import PermissionDeniedError

from hack.testbed.processes import Processes
from hack.testbed.s3 import S3
from petiole.learning.runs import CREDENTIAL_PREFIX
from petiole_pipelines import dataset
from petiole_pipelines.errors import StepError
from petiole_pipelines.source import Source

from .test_data import TASK, photo

PHOTOS = {
    "pool/Apple_scab/a 1.jpg": photo((200, 0, 0), kind="JPEG"),
    "pool/healthy/b#2.png": photo((0, 200, 0)),
    "pool/healthy/broken.png": b"hello",
    "poolside/healthy/not-ours.png": photo((1, 1, 1)),
}


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with Processes(tmp_path_factory.mktemp("s3")) as processes:
        server = S3(processes)
        running = server.start()
        server.make("orchard", PHOTOS)
        yield server
        running.stop()


@pytest.fixture
def sees(s3, monkeypatch):
    """Give the process these keys, as a run has them."""

    def give(keys):
        for name in [name for name in os.environ if name.startswith(("AWS_", CREDENTIAL_PREFIX))]:
            monkeypatch.delenv(name)
        for name, value in keys.items():
            monkeypatch.setenv(CREDENTIAL_PREFIX + name, value)

    return give


def test_photos_are_read_with_the_keys_of_one_who_may_only_read(s3, sees):
    sees(s3.reader)
    found = dataset.read_set("s3://orchard/pool", TASK, "pool")
    assert found.ids == ("Apple_scab/a 1.jpg", "healthy/b#2.png")
    assert found.y.tolist() == [0, 1]
    assert [line.split(":")[0] for line in found.unreadable] == ["healthy/broken.png"]
    with pytest.raises(PermissionDeniedError):
        obstore.put(s3.store("orchard", s3.reader), "pool/x", b"")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "a-wrong-secret-q9"}, "SignatureDoesNotMatch"),
        ({"AWS_ACCESS_KEY_ID": "AKIAWRONGKEYQ9"}, "InvalidAccessKeyId"),
    ],
)
def test_wrong_keys_are_told_without_repeating_them(s3, sees, change, said):
    sees({**s3.reader, **change})
    with pytest.raises(StepError) as caught:
        dataset.read_set("s3://orchard/pool", TASK, "pool")
    assert caught.value.reason == "DataUnavailable"
    text = str(caught.value)
    assert said in text
    assert "spec.data.credentials" in text
    secrets = (*change.values(), s3.reader["AWS_ACCESS_KEY_ID"])
    assert not any(secret in text for secret in secrets)


@pytest.mark.parametrize(
    ("uri", "reason", "said"),
    [
        ("s3://nobody/pool", "DataUnavailable", "NoSuchBucket"),
        ("s3://orchard/gone", "DataMissing", "nor a photo"),
    ],
)
def test_a_bucket_or_prefix_that_is_not_there_is_named(s3, sees, uri, reason, said):
    sees(s3.owner)
    with pytest.raises(StepError) as caught:
        dataset.read_set(uri, TASK, "pool")
    assert caught.value.reason == reason
    assert uri in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.long
def test_more_objects_than_a_page_holds_are_listed(s3, sees):
    sees(s3.owner)
    s3.make("many", {})
    store = s3.store("many", s3.owner)
    names = [f"pool/healthy/{number:04}.png" for number in range(1010)]
    for name in names:
        obstore.put(store, name, b"x")
    assert Source("s3://many/pool", "pool").names() == [n.removeprefix("pool/") for n in names]


def test_a_server_that_is_away_is_told_in_time(sees, s3):
    sees({**s3.reader, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    with pytest.raises(StepError) as caught:
        dataset.read_set("s3://orchard/pool", TASK, "pool")
    assert caught.value.reason == "DataUnavailable"


@pytest.mark.long
def test_a_run_reads_its_data_and_leaves_no_key_behind(s3, orchard):
    """The whole child of the local runner, from a bucket, with the Secret in its environment."""
    digits = {
        f"{name}/samples.npz": (orchard.root / "data" / name / "samples.npz").read_bytes()
        for name in ("pool", "evaluation")
    }
    s3.make("digits", digits)
    variables = {CREDENTIAL_PREFIX + key: value for key, value in s3.reader.items()}
    result = orchard.run(
        "Query",
        "from-s3",
        variables=variables,
        pool_uri="s3://digits/pool",
        evaluation_uri="s3://digits/evaluation",
    )
    document = orchard.document(result)
    assert document["data"]["pool"]["uri"] == "s3://digits/pool"
    secrets = [s3.reader[key].encode() for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    files = [path for path in orchard.root.rglob("*") if path.is_file()]
    assert any(path.name == "log.txt" for path in files)
    leaks = [p for p in files if any(secret in p.read_bytes() for secret in secrets)]
    assert leaks == []
