"""Signatures, against the vectors that the receivers' own documents publish."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.signing import body_signature, key_of, signatures

_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_EXPECTED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def _signed(*keys: bytes) -> str:
    return signatures(
        keys,
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        content=b'{"test": 2432232314}',
    )


def test_the_published_vector_of_standard_webhooks_is_met() -> None:
    """A Standard Webhooks receiver accepts what we sign."""
    assert _signed(key_of(_SECRET)) == _EXPECTED


def test_every_live_secret_signs() -> None:
    """While secrets are rotated there is one signature for each, separated by a space."""
    assert _signed(key_of(_SECRET), b"other").split(" ")[0] == _EXPECTED


def test_without_keys_there_is_no_signature() -> None:
    """No secret, no value."""
    assert _signed() == ""


def test_the_published_vector_of_placetel_is_met() -> None:
    """A receiver that knows only a hex HMAC of the body accepts it."""
    body = (
        b"call_id=4a4cbb39578170aed9a2761a7bec8c7e704a541f52291ef603d6f5f152980c3c"
        b"&event=CallAccepted&from=0123456789&to=0987654321"
    )
    expected = "c4f823c5b8806432fe2b83b1fc2ee714422e0cdfb4b5129152a7d0bbcd7792d0"
    assert body_signature(b"12345", body) == expected


@given(key=st.binary(min_size=1, max_size=64), padded=st.booleans())
def test_a_key_comes_out_of_its_secret(key: bytes, *, padded: bool) -> None:
    """With and without padding the secret means the same key."""
    text = base64.b64encode(key).decode()
    assert key_of("whsec_" + (text if padded else text.rstrip("="))) == key


@pytest.mark.parametrize("secret", ["", "MfKQ9r8G", "whsec_", "whsec_a", "whsec_####", "whsec_ä"])
def test_a_faulty_secret_is_refused_without_being_quoted(secret: str) -> None:
    """The sentence for the operator tells the rule, not the secret."""
    with pytest.raises(ValueError, match=r"^a signing secret [a-z0-9 ]+ whsec_$"):
        key_of(secret)
