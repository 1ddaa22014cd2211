"""What a reload would change, told by names alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from callpost.config import Config, Machine, Source, parse
from callpost.config.difference import difference, in_force
from callpost.model.changes import Changes, Removed

TOKEN = """
[[api.token]]
name = "portal"
token = "sixteen-visible!"
role = "admin"
"""
DOOR_WITHOUT_TLS = f'[api]\nlisten = "127.0.0.1:8787"\n{TOKEN}'
DOOR = DOOR_WITHOUT_TLS.replace("[[api", 'tls = { cert = "/cert.pem", key = "/key.pem" }\n[[api', 1)
CRM = 'name = "crm"\nurl = "https://crm.example/calls"\n'


def config(text: str, *, digest: str = "") -> Config:
    """The configuration of a text; every file of TLS has this digest."""
    return parse(
        [Source("callpost.toml", text.encode())],
        secret=lambda _directory, name: f"the secret {name}",
        environment={},
        machine=Machine(file_digest=lambda _path: digest),
    )


def subscribed(*tables: str, top: str = "") -> Config:
    """Subscriptions, with what stands before them."""
    return config(top + "".join(f"\n[[subscription]]\n{table}" for table in tables))


def test_equal_configurations_do_not_differ() -> None:
    """Nothing but the count of what stays."""
    assert difference(subscribed(CRM), subscribed(CRM)) == Changes(unchanged=1)


@pytest.mark.parametrize(
    ("more", "settings"),
    [
        ('method = "GET1"', ("method", "level")),
        ('url = "https://crm.example/other"', ("url",)),
        ('url = "https://crm.example/calls#ct=500"', ("connect_timeout_s",)),
        ('url = "tcp://crm.example:99"', ("url",)),
        ("timeout_s = 3\nconnect_timeout_s = 1", ("connect_timeout_s", "timeout_s")),
        ('headers = { "X-Key" = "credential:one" }', ("headers",)),
        ('auth = { type = "bearer", token = "secret" }', ("auth",)),
        ("tls = { verify = false }", ("tls",)),
        ('secrets = ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"]', ("secrets",)),
        ('fallback = [{ url = "https://b.example/" }]', ("fallback",)),
        ('status_callback = { url = "https://b.example/" }', ("status_callback",)),
        ('delivery_report = { url = "https://b.example/" }', ("delivery_report",)),
        ('retry = "cdr"', ("max_age_s", "retry")),
        ("max_age_s = { newCall = 61 }", ("max_age_s",)),
        ('caller = ["+45*"]\nevents = ["newCall"]', ("events", "caller")),
        ('responses = { "409" = "deliver" }', ("responses",)),
        ('order = "none"\nconcurrency = 3', ("order", "concurrency")),
        ('note = "hello"', ("note",)),
        ('stale = "skip"\nafter_gap = "skip_call"', ("stale", "after_gap")),
        ("rate_per_s = 3", ("rate_per_s",)),
        ('vocabulary = "sipgate"', ("vocabulary",)),
    ],
)
def test_a_changed_subscription_is_told_with_its_settings(
    more: str, settings: tuple[str, ...]
) -> None:
    """In the words of the file, without values."""
    table = 'name = "crm"\n' if more.startswith("url = ") else CRM
    [changed] = difference(subscribed(CRM), subscribed(table + more)).changed
    assert set(changed.settings) >= set(settings)
    assert (changed.name, set(changed.settings) - set(settings)) in [
        ("crm", set()),
        # What the new endpoint's kind brings along.
        ("crm", {"events"}),
    ]


def test_what_a_fallback_inherits_is_told_once() -> None:
    """Another method of the primary is no other fallback."""
    table = f'{CRM}fallback = [{{ url = "https://b.example/" }}]\n'
    before, after = subscribed(table), subscribed(f'{table}method = "POSTXML1"')
    assert "fallback" not in difference(before, after).changed[0].settings


def test_another_fallback_is_told() -> None:
    """Also where there are as many as before."""
    tables = [f'{CRM}fallback = [{{ url = "https://{host}.example/" }}]' for host in ("b", "c")]
    before, after = (subscribed(table) for table in tables)
    assert difference(before, after).changed[0].settings == ("fallback",)


def test_a_file_of_tls_with_another_content_is_a_change() -> None:
    """The name of the file is the same."""
    table = f'[[subscription]]\n{CRM}tls = {{ ca_file = "/ca.pem" }}'
    before, after = config(table, digest="one"), config(table, digest="two")
    assert difference(before, after).changed[0].settings == ("tls",)


def test_what_is_still_there_but_gets_nothing_is_told_apart_from_what_is_gone() -> None:
    """Disabled, or forbidden by now."""
    names = ("off", "made", "gone")
    before = subscribed(*(CRM.replace("crm", name, 1) for name in names))
    after = subscribed(CRM.replace("crm", "off", 1) + "enabled = false")
    removed = difference(before, after, left_out={"made"}).removed
    assert [one.why for one in removed] == ["disabled", "left_out", "gone"]


def test_a_removed_subscription_is_told_with_what_it_takes_along() -> None:
    """How many deliveries would be dead."""
    changes = difference(subscribed(CRM), subscribed(), pending={"crm": 7}.__getitem__)
    assert changes.removed == (Removed(name="crm", pending=7),)


def test_a_subscription_that_is_not_enabled_is_as_good_as_none() -> None:
    """Turned off it is removed, turned on it is added, and off it is nothing."""
    on, off = subscribed(CRM), subscribed(f"{CRM}enabled = false")
    turned_off, turned_on = difference(on, off), difference(off, on)
    assert ([one.name for one in turned_off.removed], turned_on.added) == (["crm"], ("crm",))
    assert difference(off, off) == Changes()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[log]\nlevel = "debug"', "log.level"),
        ('[spool]\nretain = "1h"', "spool.retain"),
        ("[spool]\nmax_pending = 5", "spool.max_pending"),
        ('[egress]\ndeny = ["10.0.0.0/8"]', "egress.deny"),
        ("[delivery]\ndrain_s = 3", "delivery.drain_s"),
        ('[intake]\nunknown_fields = "data"', "intake.unknown_fields"),
        ("[api]\nmax_subscriptions_per_customer = 5", "api.max_subscriptions_per_customer"),
        (TOKEN, "api.token"),
    ],
)
def test_a_setting_that_takes_effect_at_once(text: str, key: str) -> None:
    """It is told by its key in the file, and is in force."""
    before, after = config(""), config(text)
    changes = difference(before, after)
    assert (changes.settings, changes.needs_restart) == ((key,), ())
    assert in_force(before, after) == after


def test_a_token_with_another_secret_takes_effect_at_once() -> None:
    """The one that was known to somebody else opens nothing from then on."""
    before, after = config(TOKEN), config(TOKEN.replace("sixteen", "another"))
    assert difference(before, after).settings == ("api.token",)
    assert in_force(before, after).api.tokens == after.api.tokens


def test_a_certificate_with_other_content_takes_effect_at_once() -> None:
    """The names of its files are the same."""
    before, after = config(DOOR, digest="one"), config(DOOR, digest="two")
    assert difference(before, after).settings == ("api.tls",)
    assert in_force(before, after).api.tls == after.api.tls


@pytest.mark.parametrize(
    ("old", "new"), [(DOOR, DOOR_WITHOUT_TLS), (DOOR_WITHOUT_TLS, DOOR)], ids=["off", "on"]
)
def test_tls_is_turned_on_and_off_by_a_restart(old: str, new: str) -> None:
    """Until then the door speaks as it did."""
    before, after = config(old), config(new)
    assert difference(before, after).needs_restart == ("api.tls",)
    assert in_force(before, after).api == before.api


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('state_directory = "/elsewhere"', "state_directory"),
        ('[intake]\nstream = "other.sock"', "intake.stream"),
        ("[intake]\nmax_event_bytes = 2048", "intake.max_event_bytes"),
        ('[spool]\ndurability = "process"', "spool.durability"),
        ('[log]\nformat = "json"', "log.format"),
        ('[metrics]\nlisten = "127.0.0.1:9464"', "metrics.listen"),
    ],
)
def test_a_setting_that_needs_a_restart(text: str, key: str) -> None:
    """It is told by its key in the file, and stays as it was."""
    before, after = config(""), config(text)
    changes = difference(before, after)
    assert (changes.settings, changes.needs_restart) == ((), (key,))
    assert in_force(before, after) == replace(before, warnings=after.warnings)


def test_where_the_api_listens_needs_a_restart() -> None:
    """It opens a door, or closes one."""
    before, after = config(DOOR), config(DOOR.replace("8787", "8788"))
    assert difference(before, after).needs_restart == ("api.listen",)
    assert in_force(before, after).api == before.api


def test_of_one_table_a_part_may_need_a_restart() -> None:
    """The rest takes effect."""
    after = config('[log]\nformat = "json"\nlevel = "debug"')
    log = in_force(config(""), after).log
    assert (log.format, log.level) == ("auto", "debug")


_NAMES = st.sampled_from("abcde")
_TABLES = st.dictionaries(
    _NAMES,
    st.tuples(st.sampled_from(["https://h/1", "https://h/2"]), st.booleans()),
    max_size=5,
)


def _drawn(tables: dict[str, tuple[str, bool]]) -> Config:
    return subscribed(
        *(
            f'name = "{name}"\nurl = "{url}"\nenabled = {str(enabled).lower()}'
            for name, (url, enabled) in tables.items()
        )
    )


@given(_TABLES, _TABLES)
def test_every_subscription_is_in_one_class(
    old: dict[str, tuple[str, bool]], new: dict[str, tuple[str, bool]]
) -> None:
    """Added, removed, changed or unchanged: none twice, none forgotten."""
    changes = difference(_drawn(old), _drawn(new))
    told = [*changes.added, *(one.name for one in changes.removed)]
    told += [one.name for one in changes.changed]
    there = {name for tables in (old, new) for name, (_, enabled) in tables.items() if enabled}
    assert len(told) == len(set(told))
    assert set(told) <= there
    assert len(told) + changes.unchanged == len(there)


@given(_TABLES)
def test_a_configuration_does_not_differ_from_itself(tables: dict[str, tuple[str, bool]]) -> None:
    """However it looks."""
    enabled = sum(enabled for _, enabled in tables.values())
    assert difference(_drawn(tables), _drawn(tables)) == Changes(unchanged=enabled)


@given(_TABLES, _TABLES)
def test_there_and_back_again(
    old: dict[str, tuple[str, bool]], new: dict[str, tuple[str, bool]]
) -> None:
    """What one way adds the other removes."""
    there, back = difference(_drawn(old), _drawn(new)), difference(_drawn(new), _drawn(old))
    assert set(there.added) == {one.name for one in back.removed}
    assert {one.name for one in there.changed} == {one.name for one in back.changed}
