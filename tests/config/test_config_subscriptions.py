"""A table of keys becomes one complete Subscription, or its faults."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.model.endpoint import HttpEndpoint, Timeouts
from callpost.model.schedule import CDR, LIVE, own_schedule, shortened, with_ages
from callpost.model.subscription import Filter, Subscription
from callpost.model.vocabulary import KINDS

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]

HEAD = '[[subscription]]\nname = "crm"\n'


@pytest.fixture
def subscribed(parsed: Parsed) -> Callable[..., Subscription]:
    """The one subscription of these keys."""

    def one(
        keys: str = "", *, url: str = "https://crm.example.com/", before: str = ""
    ) -> Subscription:
        (found,) = parsed(f'{before}\n{HEAD}url = "{url}"\n{keys}').subscriptions
        return found

    return one


Subscribed = Callable[..., Subscription]


def test_a_name_and_a_url_are_enough(subscribed: Subscribed) -> None:
    """Everything else has a default."""
    assert subscribed() == Subscription(
        name="crm",
        endpoints=(
            HttpEndpoint(
                place="primary",
                scheme="https",
                host="crm.example.com",
                port=443,
                target="/",
                method="POSTJSON",
                level=2,
            ),
        ),
        filter=Filter(events=frozenset(KINDS)),
        schedule=LIVE,
        cdr_schedule=CDR,
    )


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
            "expected 1 to 64 characters of a-z 0-9 - _ and ."
        )
    ]


FIELD_WORDS = [
    ('url = "crm.example.com"', "url: url: Invalid URL"),
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
    ('url = "http://h/"\nmethod = "postjson"', "method: method: Invalid method"),
    ('url = "http://h/"\nmethod = 1', "method: method: Invalid method"),
    ('url = "http://h/"\nselection = "GSM"', "selection: selection: Invalid selection"),
]


@pytest.mark.parametrize(("keys", "fault"), FIELD_WORDS)
def test_url_method_and_selection_have_the_words_of_the_field(
    faults_of: FaultsOf, keys: str, fault: str
) -> None:
    """Users of the systems that are replaced know these sentences."""
    assert faults_of(HEAD + keys) == [f"callpost.toml: subscription.crm.{fault}"]


def test_the_delivery_table_has_the_defaults_of_every_subscription(subscribed: Subscribed) -> None:
    """A subscription's own key wins over them."""
    before = "[delivery]\nconnect_timeout_s = 1\ntimeout_s = 9\nconcurrency = 3"
    found = subscribed("timeout_s = 7", before=before)
    assert (found.concurrency, found.endpoints[0].timeouts) == (3, Timeouts(1.0, 10.0, 7.0))


def test_fragment_overrides_replace_the_time_outs_and_shorten_the_schedules(
    subscribed: Subscribed,
) -> None:
    """What stands in the URL is nearest to the receiver."""
    found = subscribed(url="http://h/#ct=200&rt=300&tt=400&rc=2&rp=5xx")
    assert (
        found.endpoints[0].timeouts,
        found.endpoints[0].retried,
        found.schedule,
        found.cdr_schedule,
    ) == (Timeouts(0.2, 0.3, 0.4), frozenset({"5xx"}), shortened(LIVE, 2), shortened(CDR, 2))


def test_an_override_out_of_range_names_its_key(faults_in: FaultsOf) -> None:
    """A fault in the fragment is a fault of the URL."""
    assert faults_in("", url="http://h/#rc=9") == [
        "url: url: rc in the fragment must be a whole number from 0 to 5"
    ]


def test_the_cdr_schedule_may_serve_live_events_too(subscribed: Subscribed) -> None:
    """It is the patient one."""
    assert subscribed('retry = "cdr"').schedule == CDR


def test_an_own_retry_table_is_both_schedules(subscribed: Subscribed) -> None:
    """Its numbers are taken as they are written."""
    found = subscribed("retry = { pauses_s = [1, 2.5], max_attempts = 3 }")
    own = own_schedule((1.0, 2.5), max_age_s=None, max_rounds=3)
    assert (found.schedule, found.cdr_schedule) == (own, own)


def test_ages_of_single_kinds_change_both_schedules(subscribed: Subscribed) -> None:
    """The other kinds keep theirs."""
    found = subscribed("max_age_s = { newCall = 60 }")
    assert (found.schedule, found.cdr_schedule) == (
        with_ages(LIVE, {"newCall": 60.0}),
        with_ages(CDR, {"newCall": 60.0}),
    )


def test_responses_are_taken_over(subscribed: Subscribed) -> None:
    """Codes and classes, each with its action."""
    found = subscribed('responses = { 409 = "deliver", 4xx = "retry" }')
    assert found.responses == {"409": "deliver", "4xx": "retry"}


def test_a_filter_has_all_its_keys(subscribed: Subscribed) -> None:
    """Lists become sets where their order means nothing."""
    found = subscribed(
        'selection = "SIP"\nevents = ["hangup", "dtmf"]\ndirection = ["in"]\ncustomer = "acme"\n'
        'caller = ["+45*"]\ncalled = ["+4570305050"]\nextension = ["0003*210", "mask:0004*"]\n'
        'extension_type = ["queue"]\ndtmf = ["1X."]\ncause = ["busy"]'
    )
    assert found.filter == Filter(
        selection="SIP",
        events=frozenset({"hangup", "dtmf"}),
        direction=frozenset({"in"}),
        customer="acme",
        caller=("+45*",),
        called=("+4570305050",),
        extension=("0003*210", "mask:0004*"),
        extension_type=frozenset({"queue"}),
        dtmf=("1X.",),
        cause=frozenset({"busy"}),
    )


def test_events_are_those_of_the_vocabulary_unless_named(subscribed: Subscribed) -> None:
    """What a vocabulary cannot say is not wanted."""
    found = subscribed('vocabulary = "voipnow"')
    assert found.filter.events == {"newCall", "answer", "hangup"}


FAULTS = [
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
        'stale = "skip"',
        "stale: unknown_key: there is no such key",
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
        "url: url: Invalid URL",
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
