"""Forward rules: as whom else an event counts, what it carries, and where that ends."""

from hypothesis import given
from hypothesis import strategies as st

from callpost.model.event import CallEvent
from callpost.model.forward import (
    DEPTH_MAX,
    REACH_MAX,
    REACH_MAX_CHARS,
    Forward,
    Forwarded,
    Forwards,
)


def rule(number: str, *to: str, customer: str = "", link_id: int | None = None) -> Forward:
    """A rule."""
    return Forward(number=number, to=to, customer=customer, link_id=link_id)


def call(
    to: str | None = None,
    *,
    did: str | None = None,
    extension: str | None = None,
    customer: str | None = None,
) -> CallEvent:
    """A new call."""
    return CallEvent(
        event="newCall", call_id="c", to=to, did=did, extension=extension, customer=customer
    )


def reached(found: Forwarded | None) -> list[str | None]:
    """As whose calls it counts besides."""
    return [] if found is None else [event.to for event in found.also]


def test_a_call_to_a_rules_number_is_a_call_to_each_target() -> None:
    """In the order of the rule."""
    forwards = Forwards([rule("101", "102", "sip:bob@pbx.example")])
    assert reached(forwards.forwarded(call("101"))) == ["102", "sip:bob@pbx.example"]


def test_a_target_is_also_the_extension() -> None:
    """Whoever wants an extension finds it whatever the direction."""
    found = Forwards([rule("101", "102")]).forwarded(call("101", extension="101"))
    assert found is not None
    assert [event.extension for event in found.also] == ["102"]


def test_the_did_counts_as_the_number_called() -> None:
    """A rule for the number that the outside dials."""
    forwards = Forwards([rule("4570305050", "102")])
    assert reached(forwards.forwarded(call("7001", did="+4570305050"))) == ["102"]


def test_the_extension_counts_as_the_number_called() -> None:
    """As the contract says: to, did or extension."""
    forwards = Forwards([rule("101", "102")])
    assert reached(forwards.forwarded(call("+4570305050", extension="101"))) == ["102"]


def test_a_call_to_anybody_else_is_left_alone() -> None:
    """No copy is made of it."""
    assert Forwards([rule("101", "102")]).forwarded(call("103")) is None


def test_an_event_without_a_called_number_is_left_alone() -> None:
    """Nothing is guessed."""
    assert Forwards([rule("101", "102")]).forwarded(call()) is None


def test_a_target_with_a_rule_leads_on() -> None:
    """Near ones first."""
    forwards = Forwards([rule("101", "102", "103"), rule("102", "104")])
    assert reached(forwards.forwarded(call("101"))) == ["102", "103", "104"]


def test_rules_lead_on_eight_times_at_most() -> None:
    """What lies deeper is not reached."""
    chain = Forwards([rule(str(number), str(number + 1)) for number in range(20)])
    assert reached(chain.forwarded(call("0"))) == [str(one) for one in range(1, DEPTH_MAX + 1)]


def test_a_loop_ends() -> None:
    """Everybody in it is reached once, and the number itself not again."""
    forwards = Forwards([rule("101", "102"), rule("102", "103", "101"), rule("103", "101")])
    assert reached(forwards.forwarded(call("101"))) == ["102", "103"]


def test_what_an_event_reaches_is_bounded() -> None:
    """A hundred times a hundred targets are not all asked about."""
    rules = [rule("0", *(f"a{one}" for one in range(100)))]
    rules += [rule(f"a{one}", *(f"b{one}-{two}" for two in range(100))) for one in range(100)]
    assert len(reached(Forwards(rules).forwarded(call("0")))) == REACH_MAX


def test_long_targets_are_reached_as_far_as_they_fit() -> None:
    """All that an event reaches is held against everybody's masks."""
    found = reached(
        Forwards([rule("0", *(f"{n:0200}" for n in range(1, 100)))]).forwarded(call("0"))
    )
    assert len(found) == REACH_MAX_CHARS // 200


def test_a_rule_is_for_its_own_customer_only() -> None:
    """Nobody forwards the calls of another."""
    forwards = Forwards([rule("101", "102", customer="acme")])
    assert forwards.forwarded(call("101", customer="globex")) is None


def test_a_rule_leads_on_within_its_customer_only() -> None:
    """A target's number is another customer's affair."""
    forwards = Forwards([rule("101", "102", customer="a"), rule("102", "103", customer="b")])
    assert reached(forwards.forwarded(call("101", customer="a"))) == ["102"]


def test_a_rule_without_a_customer_is_for_events_without_one() -> None:
    """An installation that names none has its rules, too."""
    assert Forwards([rule("101", "102")]).forwarded(call("101", customer="acme")) is None


def test_a_rule_of_anybody_is_for_all() -> None:
    """On purpose, by its star."""
    forwards = Forwards([rule("101", "102", customer="*")])
    assert reached(forwards.forwarded(call("101", customer="acme"))) == ["102"]


def test_the_event_carries_the_rules_link_and_number() -> None:
    """So a receiver knows by which rule it is told."""
    found = Forwards([rule("101", "102", link_id=7)]).forwarded(call("101"))
    assert found is not None
    assert (found.event.link_id, found.event.diversion) == (7, "101")


def test_what_the_producer_has_set_stays() -> None:
    """It knows better who was dialled first."""
    event = CallEvent(event="newCall", call_id="c", to="101", diversion="100", link_id=1)
    found = Forwards([rule("101", "102", link_id=7)]).forwarded(event)
    assert found is not None
    assert (found.event.link_id, found.event.diversion) == (1, "100")


def test_the_event_itself_stays_a_call_to_its_number() -> None:
    """What is stored is what was called."""
    found = Forwards([rule("101", "102")]).forwarded(call("101"))
    assert found is not None
    assert found.event.to == "101"


def test_numbers_are_compared_as_the_router_compares_them() -> None:
    """With a country a national number is the same as the international one."""
    forwards = Forwards([rule("+4570305050", "102")], compared=lambda text: text[-8:])
    assert reached(forwards.forwarded(call("70305050"))) == ["102"]


NUMBERS = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(NUMBERS, st.lists(NUMBERS, min_size=1, max_size=4))), NUMBERS)
def test_everybody_is_reached_once_and_none_is_the_called(
    rules: list[tuple[str, list[str]]], called: str
) -> None:
    """Whatever the rules are."""
    forwards = Forwards([rule(number, *to) for number, to in rules])
    found = reached(forwards.forwarded(call(called)))
    assert (len(found), called in found) == (len(set(found)), False)
