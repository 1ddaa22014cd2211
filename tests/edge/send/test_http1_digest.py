"""Digest: the proof, and challenges that cannot be answered."""

import hashlib

import pytest

from callpost.edge.http1 import Answer, Digest

_OK = Answer(200, (), b"", reusable=True)


def _challenge(value: str) -> Answer:
    return Answer(401, ((b"www-authenticate", value.encode()),), b"", reusable=True)


async def _authorizations(digest: Digest, target: bytes, *answers: Answer | None) -> list[str]:
    """What is sent as Authorization, request by request, to a peer that answers so."""
    sent: list[str] = []

    async def attempt(authorization: str) -> Answer | None:
        sent.append(authorization)
        return answers[len(sent) - 1]

    await digest.exchange("POST", target, attempt)
    return sent


async def test_the_password_is_proved_over_the_target_as_sent() -> None:
    """RFC 7616's response, also for a target that a URL library would write otherwise."""
    target = "/a/../b?x=[1]&y='%7e'"
    challenge = _challenge('Digest realm="r", nonce="n", algorithm="SHA-256"')
    sent = await _authorizations(Digest("u", "p"), target.encode(), challenge, _OK)

    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    expected = digest(f"{digest('u:r:p')}:n:{digest(f'POST:{target}')}")
    assert f'response="{expected}"' in sent[1]


async def test_an_attempt_without_an_answer_is_not_repeated() -> None:
    """There is no challenge to answer."""
    assert await _authorizations(Digest("u", "p"), b"/", None) == [""]


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest nonce="n"',
        'Digest realm="r", nonce="n", algorithm=ROT13',
        'Digest realm="r", nonce="n", qop="auth-int"',
        "Digest realm",
        "Digest",
        "Basic",
        "",
    ],
)
async def test_a_challenge_that_cannot_be_answered_leaves_the_401(challenge: str) -> None:
    """Nothing is raised, and the next attempt fares like the first."""
    digest = Digest("u", "p")
    await _authorizations(digest, b"/", _challenge(challenge))
    assert await _authorizations(digest, b"/", _challenge(challenge)) == [""]
