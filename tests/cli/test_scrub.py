"""What leaves the house holds no secret, whatever it was hidden in."""

from __future__ import annotations

import json

import pytest
import yaml

from petiole.cli.scrub import GONE, clean, clean_text

SECRET = "h0rse-staple+battery/9"
KEY = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    "text",
    [
        f"GET http://user:{SECRET}@labels.example.com/x refused",
        f"postgresql+asyncpg://petiole:{SECRET}@db/petiole",
        f"Authorization: Bearer {SECRET}",
        f"authorization=Basic {SECRET}",
        f"Authorization: Token {SECRET}",
        f'{{"token": "{SECRET}", "id": 1}}',
        f'password="in three words: {SECRET}"',
        f'password="with a \\" and {SECRET}"',
        json.dumps({"event": json.dumps({"gateway_token": SECRET})}),
        f"PETIOLE_GATEWAY_TOKEN={SECRET} petiole operator",
        f"--mqtt-password {SECRET}",
        f"--mqtt-password={SECRET}",
        f"https://bucket/x?X-Amz-Signature={SECRET}&y=1",
        f"aws_secret_access_key: {SECRET}",
        f"AWS_ACCESS_KEY_ID={SECRET}",
        f"loaded {KEY} from disk",
        f"cut short: -----BEGIN EC PRIVATE KEY-----\n{SECRET}",
        "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.h0rse-staple",
    ],
)
def test_what_looks_like_a_secret_is_removed(text: str) -> None:
    cleaned = clean_text(text)
    assert SECRET not in cleaned
    assert "h0rse-staple" not in cleaned
    assert GONE in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "Rolling out revision 2, stage canary: 19 of 40 devices updated (20 offered, 1 failed)",
        'petiole_fleet_devices{fleet="default.meters",standing="updated"} 19.0',
        "register some: `petiole devices register -f devices.csv`",
        "http://gateway:8080/v1/fleets",
        "no device has the labels site=north,crop=apple",
    ],
)
def test_what_helps_is_kept(text: str) -> None:
    assert clean_text(text) == text


def test_a_value_that_is_known_is_removed_wherever_it_is() -> None:
    assert SECRET not in clean_text(f"the word {SECRET}, said in passing", [SECRET])
    assert clean_text("a to b", ["to"]) == "a to b", "too short to tell from a word"


def test_what_a_key_says_is_secret_is_removed_and_references_stay():
    kept = {
        "tokenSecretRef": {"name": "label-studio", "key": "token"},
        "imagePullSecrets": [{"name": "pull"}],
        "volumes": [{"name": "signing", "secret": {"secretName": "petiole-signing"}}],
        "automountServiceAccountToken": False,
    }
    assert clean(kept) == kept
    for key in ("token", "example.com/deploy-token", "apiKey", "db_password"):
        assert clean({"metadata": {"annotations": {key: SECRET}}}) == {
            "metadata": {"annotations": {key: GONE}}
        }


def test_a_quote_that_is_not_closed_takes_no_other_line_along():
    assert clean_text(f'token="{SECRET}\nsecond "line"') == f'token="{GONE}\nsecond "line"'


def test_a_pod_keeps_its_shape_and_loses_its_environment() -> None:
    pod = {
        "metadata": {
            "name": "gateway-0",
            "managedFields": [{"manager": SECRET}],
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": SECRET,
                "example.com/owner": "orchard",
            },
        },
        "spec": {
            "containers": [
                {
                    "name": "gateway",
                    "args": ["--x", SECRET],
                    "env": [
                        {"name": "HARMLESS", "value": SECRET},
                        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    ],
                }
            ]
        },
        "status": {"phase": "Running", "containerStatuses": [{"restartCount": 3}]},
    }
    cleaned = clean(pod)
    assert SECRET not in yaml.safe_dump(cleaned)
    (container,) = cleaned["spec"]["containers"]
    assert container["name"] == "gateway"
    assert container["env"][0] == {"name": "HARMLESS", "value": GONE}
    assert container["env"][1]["valueFrom"] == {"secretKeyRef": {"name": "s", "key": "k"}}
    assert cleaned["status"] == pod["status"]
    assert cleaned["metadata"]["annotations"]["example.com/owner"] == "orchard"
