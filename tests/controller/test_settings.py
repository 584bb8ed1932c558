"""Settings that cannot work end the command with one sentence and exit code 2."""

import pytest
from typer.testing import CliRunner

from petiole.artifact.keys import new_private_pem
from petiole.cli.main import app


@pytest.fixture
def options(tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes(new_private_pem())
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("apiVersion: v1\nkind: Config\n")
    return {
        "--gateway-url": "http://127.0.0.1:1",
        "--store": tmp_path.as_uri(),
        "--work": str(tmp_path / "work"),
        "--signing-key": str(key),
        "--kubeconfig": str(kubeconfig),
    }


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--gateway-url", "gateway:8080", "--gateway-url: 'gateway:8080' is no http://"),
        ("--hook-url", "operator:8080", "--hook-url: 'operator:8080' is no http://"),
        ("--store", "/var/store", "--store: '/var/store' is no URI"),
        ("--store", "file:///no/such/folder", "make that folder or correct the URI"),
        ("--signing-key", "/no/such/key", "--signing-key: there is no file /no/such/key"),
        ("--work", "/dev/null/work", "work: the folder /dev/null/work cannot be made"),
        ("--namespace", "here,There", "--namespace: 'There' is no name of a namespace"),
        ("--resync", "0", "--resync: Input should be greater than or equal to 1"),
        ("--listen", "8080", "--listen: '8080' is no host:port"),
        ("--lease", "operator", "--lease: 'operator' is no namespace/name of a Lease"),
        ("--lease-seconds", "1", "--lease-seconds: Input should be greater than or equal to 3"),
        ("--kubeconfig", "/no/such/file", "--kubeconfig: there is no file"),
        ("--runner", "job", "runner: job needs --pipelines-image"),
        ("--runner", "kfp", "runner: kfp needs --kfp-url"),
        ("--runner", "argo", "--runner: Input should be 'local', 'job' or 'kfp'"),
        ("--kfp-url", "ml-pipeline:8888", "--kfp-url: 'ml-pipeline:8888' is no http://"),
        ("--kfp-token-file", "/no/such/token", "--kfp-token-file: there is no file"),
        ("--gateway-url", "http://127.0.0.1:1", "No credentials for a cluster"),
    ],
)
def test_one_sentence_and_exit_code_2(options, option, value, words):
    given = [part for pair in (options | {option: value}).items() for part in pair]
    done = CliRunner().invoke(app, ["operator", *given])
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert len(done.stderr.strip().splitlines()) == 1
