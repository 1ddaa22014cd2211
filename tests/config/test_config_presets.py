"""Presets: keys that subscriptions share; a subscription's own keys win."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.model.subscription import Subscription

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]


def _one(config: Config) -> Subscription:
    (found,) = config.subscriptions
    return found


def _text(preset: str, keys: str = "", *, url: str = 'url = "http://h/"') -> str:
    return f'[[subscription]]\nname = "a"\npreset = "{preset}"\n{url}\n{keys}\n'


def test_zammad_gets_the_rest_of_a_call_after_a_gap(parsed: Parsed) -> None:
    """A newCall that was refused may be one that it has, and its hangup must not be missing."""
    assert _one(parsed(_text("zammad"))).after_gap == "continue"


def test_an_empty_preset_is_none(parsed: Parsed) -> None:
    """As an empty text is elsewhere."""
    assert _one(parsed(_text(""))).vocabulary == "callpost"


def test_what_cannot_be_seen_in_a_name_is_spelled_out(faults_of: FaultsOf) -> None:
    """A zero-width space from a web page, and a code point that no font has."""
    unseen, unassigned = faults_of(_text("\u200bzammad"), _text("b\ud7fc").replace('"a"', '"b"'))
    assert unseen.endswith(r'there is no preset "\u200bzammad"; did you mean "zammad"?')
    assert unassigned.endswith(r'there is no preset "b\ud7fc"')


def test_zammad_takes_three_events_and_knows_what_its_answers_mean(parsed: Parsed) -> None:
    """Its generic interface refuses anything else."""
    found = _one(parsed(_text("zammad")))
    assert (found.vocabulary, sorted(found.filter.events), found.responses) == (
        "zammad",
        ["answer", "hangup", "newCall"],
        {"422": "reject", "500": "refuse"},
    )


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("zammad", ("zammad", "POSTJSON", 2)),
        ("sipgate", ("sipgate", "POSTARGS", 2)),
        ("voipnow", ("voipnow", "POSTARGS", 1)),
    ],
)
def test_built_in_presets_have_vocabulary_method_and_level(
    parsed: Parsed, preset: str, expected: tuple[str, str, int]
) -> None:
    """What the receivers of these systems were written for."""
    found = _one(parsed(_text(preset)))
    assert (found.vocabulary, found.endpoints[0].method, found.endpoints[0].level) == expected


def test_a_subscriptions_own_key_wins(parsed: Parsed) -> None:
    """The nearer word counts."""
    found = _one(parsed(_text("zammad", 'responses = { 422 = "retry" }')))
    assert found.responses == {"422": "retry"}


def test_a_preset_of_ones_own_may_have_any_key(parsed: Parsed) -> None:
    """Also the URL."""
    preset = '[preset.popup]\nurl = "http://h/p"\nevents = ["hangup"]\ntimeout_s = 5\n'
    found = _one(parsed(preset + _text("popup", url="")))
    assert (found.endpoints[0].timeouts.whole_s, *found.filter.events) == (5.0, "hangup")


def test_a_preset_may_stand_in_another_file(parsed: Parsed) -> None:
    """Files are read together before anything is put together."""
    assert _one(parsed(_text("popup"), "[preset.popup]\nconcurrency = 2")).concurrency == 2


def test_a_preset_of_the_same_name_replaces_the_built_in_one(parsed: Parsed) -> None:
    """Nothing of the built-in one is left."""
    found = _one(parsed("[preset.zammad]\nlevel = 1\n" + _text("zammad")))
    assert (found.vocabulary, found.responses) == ("callpost", {})


def test_what_a_built_in_preset_sets_in_vain_is_left_out(parsed: Parsed) -> None:
    """The operator did not write it."""
    found = _one(parsed(_text("zammad", url='url = "tcp://h:1"')))
    assert found.responses == {}


def test_a_built_in_level_gives_way_to_a_method_that_names_its_own(parsed: Parsed) -> None:
    """The operator chose the method."""
    assert _one(parsed(_text("voipnow", 'method = "GET2"'))).endpoints[0].level == 2


def test_what_an_own_preset_sets_in_vain_is_a_fault_that_names_it(faults_of: FaultsOf) -> None:
    """The operator wrote it, somewhere else."""
    assert faults_of('[preset.popup]\nframe = "lf"\n' + _text("popup")) == [
        (
            "callpost.toml: subscription.a.frame: senseless: "
            'makes no sense on http; it comes from preset "popup"'
        )
    ]


def test_a_fault_in_a_preset_is_told_once_where_it_stands(faults_of: FaultsOf) -> None:
    """Not again at each subscription that uses it."""
    text = (
        '[preset.popup]\nmethod = "PUT"\n' + _text("popup") + _text("popup").replace('"a"', '"b"')
    )
    [fault] = faults_of(text)
    assert fault.startswith(
        "callpost.toml: preset.popup.method: method: Invalid method: expected one of POSTARGS"
    )


@pytest.mark.parametrize("key", ["name", "preset"])
def test_a_preset_has_no_name_and_no_preset_of_its_own(faults_of: FaultsOf, key: str) -> None:
    """These make a subscription what it is."""
    assert faults_of(f'[preset.popup]\n{key} = "x"') == [
        (
            f"callpost.toml: preset.popup.{key}: senseless: "
            "a preset cannot set this; it belongs to a subscription"
        )
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "preset = 1",
            "preset: type: expected tables such as [preset.popup], found a whole number",
        ),
        ("preset.popup = 1", "preset.popup: type: expected a table, found a whole number"),
    ],
)
def test_a_preset_is_a_table(faults_of: FaultsOf, text: str, fault: str) -> None:
    """Anything else is told by its type."""
    assert faults_of(text) == [f"callpost.toml: {fault}"]
