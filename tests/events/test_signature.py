"""Deliveries signed by the Standard Webhooks specification."""

from datetime import UTC, datetime, timedelta

import pytest

from petiole.events.signature import TOLERANCE, SignatureError, headers, verify

# The example that the specification's libraries are tried with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
IDENTITY, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
AT = datetime.fromtimestamp(1614265330, UTC)


def test_it_signs_as_others_do():
    made = headers(SECRET, IDENTITY, BODY, AT)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (made["webhook-id"], made["webhook-timestamp"]) == (IDENTITY, "1614265330")


@pytest.mark.parametrize("secret", [SECRET, "any words", "whsec_" + "QUJD" * 8])
def test_what_it_signs_it_believes(secret):
    made = headers(secret, IDENTITY, BODY, AT)
    verify(secret, made, BODY, AT + TOLERANCE)
    verify(secret, {name.upper(): value for name, value in made.items()}, BODY, AT)
    old = made["webhook-signature"]
    verify(secret, made | {"webhook-signature": f"v1,c2lnbmVk {old}"}, BODY, AT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"webhook-id": "other"}, "not that of this body"),
        ({"webhook-timestamp": "1614265331"}, "not that of this body"),
        ({"webhook-timestamp": "soon"}, "no count of seconds"),
        ({"webhook-signature": "v1,c2lnbmVk"}, "not that of this body"),
        ({"webhook-signature": ""}, "webhook-signature is missing"),
        ({"webhook-id": ""}, "webhook-id is missing"),
    ],
)
def test_it_believes_nothing_else(change, said):
    with pytest.raises(SignatureError, match=said):
        verify(SECRET, headers(SECRET, IDENTITY, BODY, AT) | change, BODY, AT)


def test_neither_another_secret_nor_another_body_nor_another_time():
    made = headers(SECRET, IDENTITY, BODY, AT)
    for secret, body in (("other", BODY), (SECRET, BODY + b" ")):
        with pytest.raises(SignatureError, match="not that of this body"):
            verify(secret, made, body, AT)
    for off in (TOLERANCE, -TOLERANCE):
        with pytest.raises(SignatureError, match="off"):
            verify(SECRET, made, BODY, AT + off + timedelta(seconds=1 if off > timedelta() else -1))


def test_a_secret_that_is_none_is_said():
    with pytest.raises(SignatureError, match="not base64"):
        headers("whsec_no base64!", IDENTITY, BODY, AT)
