"""The commands for people: keys, artefacts, devices, and objects as tables."""

import json
import stat

import pytest
from typer.testing import CliRunner

from petiole.artifact.keys import load_private, public_pem, public_raw
from petiole.artifact.pack import pack
from petiole.artifact.policy import Golden, Policy
from petiole.cli.main import app

TOKEN = "token-of-the-tests"


def petiole(*arguments):
    return CliRunner().invoke(app, [str(part) for part in arguments])


@pytest.fixture
def key_file(tmp_path):
    file = tmp_path / "signing.pem"
    assert petiole("key", "new", file).exit_code == 0
    return file


def test_a_new_key_is_private_and_never_written_over(key_file):
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    before = key_file.read_bytes()
    again = petiole("key", "new", key_file)
    assert again.exit_code == 1
    assert "File exists" in again.stderr
    assert key_file.read_bytes() == before


def test_the_public_half_is_shown_for_people_and_devices(key_file):
    public = load_private(key_file.read_bytes()).public_key()
    assert petiole("key", "public", key_file).stdout == public_pem(public).decode()
    hexadecimal = petiole("key", "public", key_file, "--format", "hex").stdout.strip()
    assert bytes.fromhex(hexadecimal) == public_raw(public)


def test_a_file_that_is_no_key_is_told(tmp_path):
    (tmp_path / "no.pem").write_text("hello")
    done = petiole("key", "public", tmp_path / "no.pem")
    assert done.exit_code == 1
    assert "petiole key new FILE" in done.stderr


def test_an_artefact_is_shown(key_file, tmp_path):
    file = tmp_path / "artefact"
    file.write_bytes(
        pack(
            b"model",
            Golden(inputs=bytes(4), outputs=bytes(2), count=1),
            reference_count=1,
            reference_confidence=(0,) * 15 + (1,),
            policy=Policy("cortex-m4", abi=1, arena=2048, ops=3, security_counter=5, revision=9),
            key=load_private(key_file.read_bytes()),
        )
    )
    done = petiole("artifact", "inspect", file)
    assert done.exit_code == 0
    shown = dict(line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line)
    found = {name.strip(): value.strip() for name, value in shown.items()}
    assert found["target"] == "cortex-m4"
    assert found["revision"] == "9"
    assert found["arena"] == "2048 bytes"
    file.write_bytes(file.read_bytes()[:-1])
    assert "is no artefact of Petiole" in petiole("artifact", "inspect", file).stderr


@pytest.mark.parametrize("form", ["csv", "json"])
def test_devices_are_registered(gateway, tmp_path, form):
    file = tmp_path / f"devices.{form}"
    ids = [f"cli-{form}-{number}" for number in range(2)]
    if form == "csv":
        file.write_text("id,site\n" + "".join(f"{i},west\n" for i in ids))
    else:
        file.write_text(json.dumps([{"id": i, "labels": {"site": "west"}} for i in ids]))
    done = petiole("devices", "register", "-f", file, "--gateway", gateway.url, "--token", TOKEN)
    assert done.exit_code == 0, done.stderr
    assert "2 devices registered" in done.stdout
    assert gateway.ask(f"/v1/devices/{ids[0]}").json()["labels"] == {"site": "west"}
    wrong = petiole("devices", "register", "-f", file, "--gateway", gateway.url, "--token", "no")
    assert wrong.exit_code == 1
    assert "refused the devices" in wrong.stderr


def test_devices_without_ids_are_told(tmp_path):
    (tmp_path / "devices.csv").write_text("name,site\na,west\n")
    done = petiole(
        "devices", "register", "-f", tmp_path / "devices.csv", "--gateway", "http://127.0.0.1:1"
    )
    assert done.exit_code == 1
    assert "names no column 'id'" in done.stderr


def test_objects_are_shown(shared, model):
    shared.cluster.apply(model.manifest(labelBudget=4), model.fleet())
    shared.until("tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1")
    where = ("--kubeconfig", shared.cluster.kubeconfig, "-n", model.namespace)
    done = petiole("get", "model", model.name, *where)
    assert done.exit_code == 0, done.stderr
    assert "Version 1: accuracy 95.00%" in done.stdout
    assert "Plain 8 is the best of 2" in done.stdout
    assert ["Plain", "6", "93.21%", "3,072", "512", "61,234", "500"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    done = petiole("get", "fleet", model.name, *where)
    assert done.exit_code == 0, done.stderr
    assert "register some" in done.stdout.replace("\n", " ")
    missing = petiole("get", "model", "nothing", *where)
    assert missing.exit_code == 1
    assert f"there is no tinymodel {model.namespace}/nothing" in missing.stderr
