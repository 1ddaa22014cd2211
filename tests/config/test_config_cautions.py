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


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        (
            'events = ["answer", "hangup"]',
            "events: Zammad refuses what it is told of a call whose newCall it never got",
        ),
        (
            'stale = "skip"',
            (
                "stale: what stale skips is no gap, so the receiver may get the hangup of a call "
                "that it was never told of"
            ),
        ),
    ],
)
def test_what_zammad_would_refuse_is_told_before(
    parsed: Callable[..., Config], keys: str, warning: str
) -> None:
    """It knows no call whose beginning it was not told."""
    text = f'[[subscription]]\nname = "a"\npreset = "zammad"\nurl = "https://h/"\n{keys}'
    assert [str(found) for found in parsed(text).warnings] == [
        f"callpost.toml: subscription.a: {warning}"
    ]


_SWML = '[[subscription]]\nname = "a"\nvocabulary = "swml"\nurl = "https://h/"\n'


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        (
            "",
            (
                "status_callback: without one the url gets a call's later states too, "
                "not its beginning alone"
            ),
        ),
        (
            'method = "POSTXML2"\nevents = ["newCall"]',
            "method: primary: SignalWire calls by POSTJSON or by GET only",
        ),
        (
            'status_callback = { url = "https://s/", method = "POSTARGS" }',
            "method: callback: SignalWire calls by POSTJSON or by GET only",
        ),
    ],
)
def test_what_a_signalwire_handler_never_sees_is_told(
    parsed: Callable[..., Config], keys: str, warning: str
) -> None:
    """It was written for SignalWire's own requests."""
    assert [str(found) for found in parsed(_SWML + keys).warnings] == [
        f"callpost.toml: subscription.a: {warning}"
    ]


@pytest.mark.parametrize(
    "keys",
    [
        'status_callback = { url = "https://s/", method = "GET1" }',
        'events = ["newCall"]\nmethod = "GET2"',
    ],
)
def test_what_a_signalwire_handler_knows_has_no_warning(
    parsed: Callable[..., Config], keys: str
) -> None:
    """New calls alone, or with a callback for the rest."""
    assert parsed(_SWML + keys).warnings == ()


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (
            'dtmf = ["1X"]',
            (
                "dtmf: senseless: patterns on digits match dtmf events only, "
                "and these are not among the events"
            ),
        ),
        (
            'events = ["hold", "newCall"]',
            "events: vocabulary: the vocabulary swml has no hold",
        ),
        (
            'direction = ["internal"]',
            "direction: vocabulary: the vocabulary swml has no direction internal",
        ),
    ],
)
def test_what_signalwire_has_no_word_for_is_a_fault(
    faults_of: Callable[..., list[str]], keys: str, fault: str
) -> None:
    """Such a subscription would wait for what never comes."""
    assert faults_of(_SWML + keys) == [f"callpost.toml: subscription.a.{fault}"]


def test_an_ordinary_subscription_has_no_warning(parsed: Callable[..., Config]) -> None:
    """Warnings are for what deserves one."""
    assert parsed('[[subscription]]\nname = "a"\nurl = "https://h/"').warnings == ()


DK = '[numbers]\ncountry = "DK"\n'
AS_NATIONAL = (
    "meets no national number, as masks with wildcards are compared with the international form;"
    " where one is meant,"
)


@pytest.mark.parametrize("key", ["caller", "called"])
@pytest.mark.parametrize("mask", ["7030*", "70305???", "70305[0-4]50", "004930*"])
def test_a_mask_in_the_national_form_is_told(
    parsed: Callable[..., Config], key: str, mask: str
) -> None:
    """It would meet nothing, and nobody knew why."""
    config = parsed(
        f'{DK}[[subscription]]\nname = "a"\nurl = "http://h/"\n{key} = ["+45*", "{mask}"]'
    )
    assert [str(found) for found in config.warnings] == [
        f'callpost.toml: subscription.a.{key}[2]: mask: {AS_NATIONAL} write "+45..."'
    ]


@pytest.mark.parametrize(
    "mask",
    ["70305050", "+4570*", "4570*", "*7030", "?030*", "[67]0*", "703*", "sip:7030*", "anon*"],
)
def test_another_mask_needs_no_word(parsed: Callable[..., Config], mask: str) -> None:
    """An exact one is compared as a number; a short beginning may be an extension's."""
    config = parsed(f'{DK}[[subscription]]\nname = "a"\nurl = "http://h/"\ncalled = ["{mask}"]')
    assert config.warnings == ()


def test_without_a_country_a_mask_is_compared_as_it_stands(parsed: Callable[..., Config]) -> None:
    """There are no national numbers then."""
    config = parsed('[[subscription]]\nname = "a"\nurl = "http://h/"\ncalled = ["7030*"]')
    assert config.warnings == ()
