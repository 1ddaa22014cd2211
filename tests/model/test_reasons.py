"""Why a connection could not be made, as a sentence."""

import pytest

from callpost.model.outcome import LocalFault, Phase, Retry
from callpost.model.reasons import sentence_of


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("dns:not_found", "no name server knows the name"),
        ("connect:host_unreachable", "the host is unreachable"),
        ("connect:forbidden", "no connection: forbidden"),
        ("tls:certificate expired", "its certificate is not accepted: expired"),
        ("tls:unsupported protocol", "TLS failed: unsupported protocol"),
        ("tls:ca_file cannot be read", "TLS failed: ca_file cannot be read"),
        ("proxy:http_502", "the proxy: it answered 502"),
        (
            "proxy:connect:refused",
            (
                "the proxy: the connection was refused: "
                "nobody listens there, or a firewall is closed"
            ),
        ),
        ("something:new_to_us", "something: new to us"),
    ],
)
def test_a_reason_is_told_in_words(reason: str, sentence: str) -> None:
    """What is not known by heart is told as it stands."""
    assert sentence_of(Retry(reason=reason), within_s=3.0) == sentence


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        ("resolve", "no name server answered within 0.5 s"),
        ("connect", "nothing answered within 0.5 s"),
        ("tls", "the TLS handshake did not end within 0.5 s"),
    ],
)
def test_a_time_out_is_told_with_the_step_and_the_time(phase: Phase, sentence: str) -> None:
    """An operator knows then which one to look at."""
    late = Retry(reason="timeout_connect", phase=phase, timed_out=True)
    assert sentence_of(late, within_s=0.5) == sentence


def test_a_proxy_that_is_late_is_named() -> None:
    """The endpoint had no part in it."""
    late = Retry(reason="proxy:timeout_connect", phase="connect", timed_out=True)
    assert sentence_of(late, within_s=3.0) == "at the proxy nothing answered within 3 s"


def test_a_fault_of_this_machine_is_told_as_such() -> None:
    """It says nothing of the endpoint."""
    sentence = sentence_of(LocalFault("connect:no_descriptors"), within_s=3.0)
    assert sentence == "this machine could not try: connect: no descriptors"
