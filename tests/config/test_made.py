"""What was made over the API: by the rules of files, stricter, and never in the way of the rest."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from callpost.config import Config
from callpost.config.difference import difference, in_force
from callpost.config.made import Made, made, merged
from callpost.model.drawn import Drawn
from callpost.model.endpoint import HttpEndpoint
from callpost.model.forward import Forward

Parsed = Callable[..., Config]
CREDENTIAL = "a credential of this machine cannot be used over the API; set the value itself"


def subscription(card: int = 1, **keys: object) -> Drawn:
    """A subscription of the customer acme."""
    return Drawn(
        kind="subscription",
        name=f"api.crm.{card:08x}",
        origin="api",
        customer="acme",
        trusted=False,
        table={"url": "https://crm.example.com/", **keys},
        cards=(f"{card:x}",),
    )


def rule(card: int = 1, *, customer: str = "acme", **keys: object) -> Drawn:
    """A rule of a customer."""
    return Drawn(
        kind="forward",
        name="",
        origin="basip",
        customer=customer,
        trusted=False,
        table={"number": "101", "to": ["102"], **keys},
        cards=(f"{card:x}",),
    )


def faults_of(found: Made) -> list[str]:
    """All faults, as they are shown."""
    return [str(fault) for _, faults in found.faults for fault in faults]


def test_a_subscription_becomes_what_a_file_would_make_of_it(parsed: Parsed) -> None:
    """All keys, the defaults of `[delivery]` and a built-in preset."""
    keys = 'url = "https://crm.example.com/"\npreset = "zammad"\ncaller = ["+45*"]\nconcurrency = 3'
    text = f'[delivery]\ntimeout_s = 7\n[[subscription]]\nname = "crm"\ncustomer = "acme"\n{keys}'
    config = parsed(text)
    drawn = subscription(preset="zammad", caller=["+45*"], concurrency=3)
    [one] = made([replace(drawn, trusted=True)], config).subscriptions
    [of_file] = config.subscriptions
    assert one == replace(of_file, name=drawn.name, origin="api")


@pytest.mark.parametrize("trusted", [False, True])
def test_its_endpoints_are_strict_unless_it_is_trusted(parsed: Parsed, *, trusted: bool) -> None:
    """Each of them."""
    door = {"url": "https://b.example/"}
    drawn = subscription(fallback=[door], status_callback=door, delivery_report=door)
    [one] = made([replace(drawn, trusted=trusted)], parsed("")).subscriptions
    endpoints = [*one.endpoints, one.callback, one.report]
    assert {isinstance(each, HttpEndpoint) and each.strict for each in endpoints} == {not trusted}


def test_a_table_cannot_say_whose_it_is(parsed: Parsed) -> None:
    """Nor can it say its name: that was settled before."""
    drawn = subscription(customer="other", name="crm"), rule(customer="acme")
    found = made(
        [drawn[0], replace(drawn[1], table={**drawn[1].table, "customer": "x"})], parsed("")
    )
    assert [one.filter.customer for one in found.subscriptions] == ["acme"]
    assert [one.customer for one in found.forwards] == ["acme"]


def test_a_rule_becomes_what_a_file_would_make_of_it(parsed: Parsed) -> None:
    """With its customer."""
    assert made([rule(link_id=7)], parsed("")).forwards == (
        Forward(customer="acme", number="101", to=("102",), link_id=7),
    )


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"url": "crm"}, "url: url: Invalid URL: it has no scheme, such as https://"),
        ({"url": "https://10.0.0.1/"}, "url: url: URL points to an invalid IP address"),
        ({"url": "https://x.example:25/"}, "url: url: Port is invalid"),
        (
            {"fallback": [{"url": "x"}]},
            "fallback[1].url: url: Invalid URL: it has no",
        ),
        (
            {"fallback": [{"url": "https://127.0.0.1/"}]},
            "fallback[1].url: url: URL points to an invalid IP address",
        ),
        ({"headers": {"X-A": "credential:key"}}, f"headers.X-A: not_over_api: {CREDENTIAL}"),
        ({"headers": {"X-A": "a\r\nb"}}, "headers.X-A: header: must not hold"),
        ({"secrets": ["credential:signing"]}, f"secrets[1]: not_over_api: {CREDENTIAL}"),
        ({"tls": {"ca_file": "/x"}}, "tls.ca_file: not_over_api: a file of this machine"),
        ({"tls": {"verify": False}}, "tls.verify: not_over_api: a certificate is always"),
        ({"proxy": "http://x:1"}, "proxy: not_over_api: a proxy cannot be set over the API"),
        ({"preset": "popup"}, "preset: not_over_api: only the built-in presets"),
        (
            {"caller": ["1" * 200 + "*"] * 2, "extension": ["mask:" + "2" * 106 + "*"]},
            "extension: not_over_api: masks with wildcards have at most 512 characters",
        ),
        ({"urls": 1}, 'urls: unknown_key: there is no such key; did you mean "url"?'),
        ({"note": None}, "note: type: expected a text, found something else"),
        (
            {"vocabulary": "sipgate", "events": ["dtmf", "hold"]},
            "events: vocabulary: the vocabulary",
        ),
    ],
)
def test_what_is_wrong_is_told_by_the_key_and_once(
    parsed: Parsed, keys: dict[str, object], fault: str
) -> None:
    """No file, no name in front of it."""
    [found] = faults_of(made([subscription(1, **keys)], parsed("[preset.popup]\nlevel = 1")))
    assert found.removeprefix(": ").startswith(fault)


def test_what_is_exact_is_no_mask_with_wildcards(parsed: Parsed) -> None:
    """Of numbers and extensions there may be as many as in a file."""
    keys = {"called": [f"+45{n:020}" for n in range(500)], "extension": ["0003*210"] * 500}
    assert faults_of(made([subscription(1, **keys)], parsed(""))) == []


def test_all_that_is_wrong_with_one_is_told_at_once(parsed: Parsed) -> None:
    """Each place with its first fault."""
    drawn = subscription(url="x", method="POST", headers={"Host": "credential:key"})
    [(told, faults)] = made([drawn], parsed("")).faults
    assert told is drawn
    assert [fault.path for fault in faults] == ["headers.Host", "url", "method"]


def test_a_faulty_one_costs_the_others_nothing(parsed: Parsed) -> None:
    """It is left out, and they keep their order."""
    drawn = [subscription(1), subscription(2, url="x"), subscription(3), rule(4, to=[]), rule(5)]
    found = made(drawn, parsed(""))
    assert [one.name[-1] for one in found.subscriptions] == ["1", "3"]
    assert [told.cards for told, _ in found.faults] == [("2",), ("4",)]
    assert len(found.forwards) == 1


@pytest.mark.parametrize(
    ("drawn", "fault"),
    [
        (replace(subscription(), name="Crm"), "name: name: expected 1 to 64 characters"),
        (replace(subscription(), customer=""), "customer: missing: is required"),
        (rule(customer=""), "customer: missing: is required"),
        (rule(customer="acm"), 'customer: customer: there is no customer "acm"; did you mean'),
        (replace(subscription(), customer="b"), 'customer: customer: there is no customer "b"'),
    ],
)
def test_the_customer_has_to_be_one(parsed: Parsed, drawn: Drawn, fault: str) -> None:
    """As for what stands in a file."""
    config = parsed("tenancy.customers = 'required'\n[[customer]]\nid = 'acme'\n")
    [found] = faults_of(made([drawn], config))
    assert found.removeprefix(": ").startswith(fault)


@pytest.mark.parametrize(
    ("text", "drawn", "kept"),
    [
        ("", [rule(1), rule(2, number="+101")], 1),
        ("", [rule(1), rule(2, customer="other")], 2),
        ("[[forward]]\ncustomer = 'acme'\nnumber = '101'\nto = ['9']", [rule(1)], 0),
        ("[[forward]]\nnumber = '101'\nto = ['9']", [rule(1)], 1),
        ("", [rule(1, to=[]), rule(2)], 1),
    ],
)
def test_a_number_of_a_customer_has_one_rule(
    parsed: Parsed, text: str, drawn: list[Drawn], kept: int
) -> None:
    """That of a file counts, then the first one that is sound."""
    found = made(drawn, parsed(text))
    assert len(found.forwards) == kept
    assert len(found.faults) == len(drawn) - kept


def test_a_name_is_used_once(parsed: Parsed) -> None:
    """The first one has it."""
    twice = [subscription(1), replace(subscription(2), name=subscription(1).name)]
    assert faults_of(made(twice, parsed(""))) == [": name: duplicate: this name is already used"]


def test_what_has_not_changed_is_not_composed_again(parsed: Parsed) -> None:
    """One that has changed is, whatever became of the others."""
    config = parsed("")
    before = made([subscription(1), subscription(2), rule(3)], config)
    changed = [subscription(1), subscription(2, level=1), rule(3)]
    after = made(changed, config, before)
    assert after.subscriptions[0] is before.subscriptions[0]
    assert after.forwards[0] is before.forwards[0]
    assert after.subscriptions[1].endpoints[0].level == 1


def test_what_is_gone_is_gone(parsed: Parsed) -> None:
    """Nothing of it is kept for the time after."""
    config = parsed("")
    before = made([subscription(1), subscription(2)], config)
    after = made([subscription(2)], config, before)
    assert (len(after.subscriptions), len(after.composed)) == (1, 1)


@pytest.mark.parametrize(
    "text",
    ["delivery.timeout_s = 7", "[[customer]]\nid = 'acme'", "egress.deny = ['198.51.100.7']"],
)
def test_other_circumstances_make_it_again(parsed: Parsed, text: str) -> None:
    """Where the defaults, the customers or the networks have changed."""
    drawn = [subscription()]
    before = made(drawn, parsed(""))
    after = made(drawn, parsed(text), before)
    assert after.subscriptions[0] is not before.subscriptions[0]


def test_what_was_made_stands_behind_what_is_of_files(parsed: Parsed) -> None:
    """And the warnings are those of the files."""
    config = parsed('[[subscription]]\nname = "crm"\nurl = "udp://x.example:9"\n')
    both = merged(config, made([subscription(), rule()], config))
    assert [one.name for one in both.subscriptions] == ["crm", "api.crm.00000001"]
    assert [one.number for one in both.forwards] == ["101"]
    assert both.warnings == config.warnings


def test_defaults_that_change_are_told_by_what_takes_them(parsed: Parsed) -> None:
    """And hold at once."""
    before, after = (
        merged(config, made([subscription()], config))
        for config in (parsed(""), parsed("delivery.timeout_s = 7"))
    )
    changes = difference(before, after)
    assert [(one.name, one.settings) for one in changes.changed] == [
        ("api.crm.00000001", ("timeout_s",))
    ]
    assert (changes.settings, changes.needs_restart) == ((), ())
    assert in_force(before, after) == after


@pytest.mark.parametrize(
    "name", ["api.crm", "telecomx.x", "voipnow.x", "portsip.x", "signalwire.x", "basip.x"]
)
def test_a_file_cannot_have_a_name_of_the_api(
    faults_of: Callable[..., list[str]], name: str
) -> None:
    """Nobody would know whose it is."""
    [fault] = faults_of(f'[[subscription]]\nname = "{name}"\nurl = "https://x.example/"\n')
    prefix = name.partition(".")[0]
    assert fault == (
        f"callpost.toml: subscription.{name}.name: reserved: names that begin with {prefix}. are"
        " for what is made over the API"
    )


def test_a_name_that_only_looks_like_one_of_the_api_is_free(parsed: Parsed) -> None:
    """The dot makes it one."""
    assert parsed('[[subscription]]\nname = "apis.x"\nurl = "https://x.example/"\n').subscriptions
