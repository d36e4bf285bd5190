"""Does the official library of Standard Webhooks believe what we sign, and nothing else?"""

import json

import pytest
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from controlplane.domain.signature import as_secret, headers_of, sign
from tests.builders import NOW

AT = int(NOW.timestamp())  # the library believes what is at most five minutes old
KEYS = st.binary(min_size=32, max_size=32)


def test_the_vector_of_the_specification() -> None:
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"

    signed = sign(secret, message, 1_614_265_330, b'{"test": 2432232314}')

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@freeze_time(NOW)
@given(KEYS, KEYS, st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_either_secret_of_two_proves_a_message_and_a_third_does_not(new: bytes, old: bytes, told: dict) -> None:
    body = json.dumps(told).encode()
    headers = headers_of([as_secret(new), as_secret(old)], "evt_1", AT, body)

    for key in (new, old):
        assert Webhook(as_secret(key)).verify(body, headers) == told
    with pytest.raises(WebhookVerificationError):
        Webhook(as_secret(bytes(each ^ 1 for each in new)[::-1] + b"x")).verify(body, headers)


@freeze_time(NOW)
@pytest.mark.parametrize("changed", ["id", "timestamp", "body"])
def test_whatever_is_changed_on_the_way_is_noticed(changed: str) -> None:
    secret, body = as_secret(b"k" * 32), b"{}"
    headers = headers_of([secret], "evt_1", AT, body)
    if changed == "body":
        body = b'{"a": 1}'
    else:
        headers[f"webhook-{changed}"] = {"id": "evt_2", "timestamp": str(AT + 1)}[changed]

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)
