"""What is not wrong but worth a word comes as a warning."""

from collections.abc import Callable

import pytest

from callpost.config import Config


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        (
            'url = "udp://h:9"',
            "udp: primary: what exceeds 1,400 bytes may be fragmented and lost",
        ),
        (
            'url = "https://h/"\ntls = { verify = false }',
            "tls: primary: tls.verify is off, so anybody on the way can read and answer",
        ),
        (
            'url = "http://h/"\nstatus_callback = { url = "tcp://h:1", tls = { verify = false } }',
            "tls: callback: tls.verify is off, so anybody on the way can read and answer",
        ),
        (
            'url = "http://h/"\ndelivery_report = { url = "https://r/", tls = { verify = false } }',
            "tls: report: tls.verify is off, so anybody on the way can read and answer",
        ),
        (
            'url = "http://[::ffff:169.254.169.254]/"',
            "egress: primary: the URL points to an address that [egress] denies",
        ),
        (
            'url = "http://h/"\ntimeout_s = 2',
            (
                "timeout: primary: "
                "connecting may take longer than the whole attempt, which ends first"
            ),
        ),
    ],
)
def test_a_doubtful_endpoint_is_named_by_its_place(
    parsed: Callable[..., Config], keys: str, warning: str
) -> None:
    """The configuration is good, and the operator knows what it means."""
    config = parsed(f'[[subscription]]\nname = "a"\n{keys}')
    assert [str(found) for found in config.warnings] == [
        f"callpost.toml: subscription.a: {warning}"
    ]


def test_an_ordinary_subscription_has_no_warning(parsed: Callable[..., Config]) -> None:
    """Warnings are for what deserves one."""
    assert parsed('[[subscription]]\nname = "a"\nurl = "https://h/"').warnings == ()
