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


def test_the_last_pause_repeats_until_the_last_attempt(subscribed: Subscribed) -> None:
    """Two pauses alone would be the end after three attempts."""
    found = subscribed("retry = { pauses_s = [1, 2], max_attempts = 5 }")
    assert found.schedule == own_schedule((1.0, 2.0, 2.0, 2.0), max_age_s=None, max_rounds=5)


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


def test_a_subscription_is_treated_as_its_keys_say(subscribed: Subscribed) -> None:
    """A whole number is a rate, too."""
    found = subscribed('rate_per_s = 5\nstale = "skip"\nafter_gap = "skip_call"')
    assert (found.rate_per_s, found.stale, found.after_gap) == (5.0, "skip", "skip_call")


def test_the_call_is_skipped_after_a_gap_in_the_order_of_all_too(faults_in: FaultsOf) -> None:
    """Where all events are in order, those of a call are."""
    assert faults_in('after_gap = "skip_call"\norder = "subscription"') == []


def test_what_is_stale_is_skipped_in_any_order(faults_in: FaultsOf) -> None:
    """What still waits is not on its way, whatever else is."""
    assert faults_in('stale = "skip"\norder = "none"') == []


def test_a_filter_has_all_its_keys(subscribed: Subscribed) -> None:
    """Lists become sets where their order means nothing."""
    found = subscribed(
        'selection = "SIP"\nevents = ["hangup"]\ndirection = ["in"]\ncustomer = "acme"\n'
        'caller = ["+45*"]\ncalled = ["+4570305050"]\nextension = ["0003*210", "mask:0004*"]\n'
        'extension_type = ["queue"]\ncause = ["busy"]'
    )
    assert found.filter == Filter(
        selection="SIP",
        events=frozenset({"hangup"}),
        direction=frozenset({"in"}),
        customer="acme",
        caller=("+45*",),
        called=("+4570305050",),
        extension=("0003*210", "mask:0004*"),
        extension_type=frozenset({"queue"}),
        cause=frozenset({"busy"}),
    )


@pytest.mark.parametrize("direction", ["", 'direction = ["in", "internal"]', "direction = []"])
def test_a_flow_is_seen_from_an_extension(subscribed: Subscribed, direction: str) -> None:
    """Whatever else stands beside it, if something passes."""
    found = subscribed(
        f'preset = "voipnow"\nflow = ["out"]\nextension = ["101", "mask:2*"]\n{direction}'
    )
    assert found.filter.flow == {"out"}


def test_patterns_on_digits_are_taken_as_they_are_written(subscribed: Subscribed) -> None:
    """They need no events beside them."""
    assert subscribed('dtmf = ["1X.", "9"]').filter.dtmf == ("1X.", "9")


def test_events_are_those_of_the_vocabulary_unless_named(subscribed: Subscribed) -> None:
    """What a vocabulary cannot say is not wanted."""
    found = subscribed('vocabulary = "voipnow"')
    assert found.filter.events == {"newCall", "answer", "hangup"}
