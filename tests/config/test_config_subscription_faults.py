"""A faulty key of a subscription is told by its path, its code and one sentence."""

from collections.abc import Callable

import pytest

FaultsOf = Callable[..., list[str]]

HEAD = '[[subscription]]\nname = "crm"\n'


def test_name_and_url_are_required(faults_of: FaultsOf) -> None:
    """A subscription without a name is told by its place in the file, counted from 1."""
    assert faults_of("[[subscription]]\n[[subscription]]\nname = 'a'") == [
        "callpost.toml: subscription[1].name: missing: is required",
        "callpost.toml: subscription[1].url: missing: is required",
        "callpost.toml: subscription.a.url: missing: is required",
    ]


@pytest.mark.parametrize("name", ["", "CRM", "a b", "\u00e5", "a" * 65, "a/b"])
def test_a_name_of_other_characters_is_a_fault(faults_of: FaultsOf, name: str) -> None:
    """Names stand in logs, paths and commands, so they are plain."""
    assert faults_of(f'[[subscription]]\nname = "{name}"\nurl = "http://h/"') == [
        (
            "callpost.toml: subscription[1].name: name: "
            "expected 1 to 64 characters of a-z 0-9 - . and _"
        )
    ]


FIELD_WORDS = [
    ('url = "crm.example.com/x"', "url: url: Invalid URL: it has no scheme, such as https://"),
    ('url = "https://"', "url: url: Invalid URL"),
    ('url = ""', "url: url: Invalid URL"),
    ('url = "ftp://h/"', "url: url: URL protocol is invalid"),
    (
        'url = "tcp://h:1/x"',
        "url: url: Protocol types TCP and UDP only permit host and port",
    ),
    ('url = "udp://h"', "url: url: Protocol types TCP and UDP requires a valid port"),
    ('url = "http://h:0"', "url: url: Port is invalid"),
    ('url = "http://127.1"', "url: url: URL points to an invalid IP address"),
    ('url = "http://-h"', "url: url: URL points to an invalid hostname"),
    ("url = 5", "url: url: Invalid URL"),
]


@pytest.mark.parametrize(("keys", "fault"), FIELD_WORDS)
def test_a_url_has_the_words_of_the_field(faults_of: FaultsOf, keys: str, fault: str) -> None:
    """Users of the systems that are replaced know these sentences."""
    assert faults_of(HEAD + keys) == [f"callpost.toml: subscription.crm.{fault}"]


METHOD = (
    "method: method: Invalid method: expected one of "
    "POSTARGS | POSTXML1 | POSTXML2 | POSTJSON | GET1 | GET2"
)
SELECTION = "selection: selection: Invalid selection: expected one of SIP | MVNO | ALL"
FAULTS = [
    ('method = "postjson"', f'{METHOD}; did you mean "POSTJSON"?'),
    ('method = "PUT"', METHOD),
    ("method = 1", METHOD),
    ('selection = "sip"', f'{SELECTION}; did you mean "SIP"?'),
    ('selection = "GSM"', SELECTION),
    (
        'vocabulary = "zammad"\nevents = ["dtmf"]',
        "events: vocabulary: the vocabulary zammad has no dtmf",
    ),
    (
        'vocabulary = "sipgate"\ndirection = ["internal"]',
        "direction: vocabulary: the vocabulary sipgate has no direction internal",
    ),
    (
        'events = ["newCall"]\ndtmf = ["1"]',
        (
            "dtmf: senseless: patterns on digits match dtmf events only, "
            "and these are not among the events"
        ),
    ),
    (
        'events = ["dtmf", "hangup"]\ndtmf = ["1"]',
        (
            "events: senseless: with patterns on digits only dtmf events match, "
            "so no other can be named"
        ),
    ),
    (
        'dtmf = ["1"]\ncause = ["busy"]',
        "cause: senseless: filters hangup and cdr only, and neither is among the events",
    ),
    (
        'events = ["newCall"]\ncause = ["busy"]',
        "cause: senseless: filters hangup and cdr only, and neither is among the events",
    ),
    ('caller = ["+45[12"]', "caller[1]: mask: The mask has a [ without its ]"),
    ('called = ["1", ""]', "called[2]: range: must not be empty"),
    ('extension = ["mask:"]', "extension[1]: mask: The mask is empty"),
    ('dtmf = ["1.2"]', "dtmf[1]: pattern: The pattern has a . before its end"),
    (
        'order = "calls"',
        'order: choice: expected one of call | subscription | none; did you mean "call"?',
    ),
    ("level = 3", "level: range: expected a whole number from 1 to 2"),
    (f'note = "{"x" * 1025}"', "note: range: must have at most 1024 characters"),
    ("enabled = 1", "enabled: type: expected true or false, found a whole number"),
    (
        'events = "newCall"',
        "events: type: expected a list, found a text",
    ),
    (
        'event = ["newCall"]',
        'event: unknown_key: there is no such key; did you mean "events"?',
    ),
    (
        'STALE = "skip"',
        'STALE: unknown_key: there is no such key; did you mean "stale"?',
    ),
    ('stale = "drop"', "stale: choice: expected one of deliver | skip"),
    (
        'flow = ["internal"]\nvocabulary = "voipnow"\nextension = ["101"]',
        "flow[1]: choice: expected one of in | out",
    ),
    (
        'flow = ["in"]\nextension = ["101"]',
        (
            "flow: senseless: is of the vocabulary voipnow, which sees a call from its ends, "
            "not of callpost"
        ),
    ),
    (
        'flow = ["in"]\npreset = "voipnow"\nextension = ["mask:1*"]',
        "flow: senseless: is seen from an extension, so extension needs one that is not a mask",
    ),
    (
        'flow = ["in"]\npreset = "voipnow"\nextension = ["101"]\ndirection = ["out"]',
        "flow: senseless: lets no call through that has the direction wanted",
    ),
    (
        'stale = "skip"\nevents = ["hangup", "cdr"]',
        "stale: senseless: skip needs hangup among the events, and one that comes before it",
    ),
    (
        'stale = "skip"\nevents = ["newCall"]',
        "stale: senseless: skip needs hangup among the events, and one that comes before it",
    ),
    (
        'after_gap = "skip"',
        'after_gap: choice: expected one of continue | skip_call; did you mean "skip_call"?',
    ),
    (
        'after_gap = "skip_call"\norder = "none"',
        (
            'after_gap: senseless: skip_call makes no sense with order = "none": '
            "there is no rest of the call"
        ),
    ),
    ("rate_per_s = -1", "rate_per_s: range: expected a number from 0 to 100000"),
    ("rate_per_s = 100001", "rate_per_s: range: expected a number from 0 to 100000"),
    (
        "rate_per_s = 0.009",
        "rate_per_s: range: expected 0 (no limit) or a number from 0.01 to 100000",
    ),
    (
        'rate_per_s = "5"',
        "rate_per_s: type: expected a number from 0 to 100000, found a text",
    ),
    (
        'status_callback = { url = "http://b/" }\nevents = ["hangup"]',
        "status_callback: senseless: leaves newCall to the url, and newCall is not wanted here",
    ),
    (
        'status_callback = { url = "http://b/" }\nevents = ["newCall"]',
        (
            "status_callback: senseless: "
            "gets what follows newCall, and nothing of that is wanted here"
        ),
    ),
    (
        'responses = { 600 = "retry" }',
        "responses.600: responses: expected a code from 100 to 599 or a class from 1xx to 5xx",
    ),
    (
        'responses = { 404 = "drop" }',
        "responses.404: choice: expected one of deliver | retry | refuse | reject | gone",
    ),
    ('retry = "never"', "retry: choice: expected one of live | cdr"),
    (
        "retry = 3",
        "retry: type: expected live, cdr or a table with pauses_s, found a whole number",
    ),
    ("retry = {}", "retry.pauses_s: missing: is required"),
    ("retry = { pauses_s = [] }", "retry.pauses_s: range: expected 1 to 100 items, found 0"),
    (
        "retry = { pauses_s = [172801] }",
        "retry.pauses_s[1]: range: expected a number from 0 to 172800",
    ),
    (
        "retry = { pauses_s = [1, 0], max_age_s = 60 }",
        "retry.pauses_s: range: the last pause repeats, so it must be at least 0.5",
    ),
    (
        "retry = { pauses_s = [1, 0], max_attempts = 4 }",
        "retry.pauses_s: range: the last pause repeats, so it must be at least 0.5",
    ),
    (
        "max_age_s = { newCall = 0 }",
        "max_age_s.newCall: range: expected a number from 1 to 2592000",
    ),
    (
        "max_age_s = { newcall = 60 }",
        'max_age_s.newcall: unknown_key: there is no such key; did you mean "newCall"?',
    ),
    (
        "max_age_s = 60",
        "max_age_s: type: expected a table such as { newCall = 60 }, found a whole number",
    ),
    (
        'preset = "zamad"',
        'preset: preset: there is no preset "zamad"; did you mean "zammad"?',
    ),
]


@pytest.mark.parametrize(("keys", "fault"), FAULTS)
def test_each_faulty_key_has_its_sentence(faults_in: FaultsOf, keys: str, fault: str) -> None:
    """The fault stands at the key, or at the item of its list."""
    assert faults_in(keys) == [fault]


def test_a_faulty_url_does_not_hide_what_is_wrong_with_the_filter(faults_in: FaultsOf) -> None:
    """All faults of a subscription come at once."""
    assert faults_in('vocabulary = "zammad"\nevents = ["dtmf"]', url="x") == [
        "url: url: Invalid URL: it has no scheme, such as https://",
        "events: vocabulary: the vocabulary zammad has no dtmf",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "[subscription]\nname = 'crm'",
            "subscription: type: expected tables that begin with [[subscription]], found a table",
        ),
        ("subscription = [1]", "subscription[1]: type: expected a table, found a whole number"),
    ],
)
def test_something_else_than_tables_is_a_fault(faults_of: FaultsOf, text: str, fault: str) -> None:
    """A single pair of brackets is an easy slip."""
    assert faults_of(text) == [f"callpost.toml: {fault}"]
