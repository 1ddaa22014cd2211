"""What one subscriber gets of an event: fields left out, numbers in one form."""

from hypothesis import given
from hypothesis import strategies as st

from callpost.model.event import CallEvent, encode, stored
from callpost.model.numbers import Numbers
from callpost.model.schedule import CDR, LIVE
from callpost.model.subscription import Subscription
from callpost.model.tailor import OMITTABLE, tailor_of, tailored

EVENT = CallEvent(
    event="hangup",
    call_id="c-1",
    id="e-1",
    from_="26110203",
    to="004930901820",
    did="0114 496",
    diversion="anonymous",
    answering_number="sip:bob@pbx.example",
    from_name="Ada",
    data={"k": "v"},
)


def a_subscription(**settings: object) -> Subscription:
    """A subscription that wants events in a way of its own."""
    return Subscription(
        name="crm",
        endpoints=(),
        schedule=LIVE,
        cdr_schedule=CDR,
        **settings,  # type: ignore[arg-type]  # the settings under test
    )


def test_numbers_go_out_in_the_form_that_is_asked_for() -> None:
    """Every field that holds a number is written in it, and what is no number stays."""
    event = tailored(EVENT, omit=frozenset(), form="+e164", numbers=Numbers("DK"))
    assert (event.from_, event.to, event.did, event.diversion, event.answering_number) == (
        "+4526110203",
        "+4930901820",
        "0114 496",
        "anonymous",
        "sip:bob@pbx.example",
    )


def test_omitted_fields_are_gone() -> None:
    """A field that this subscriber never gets is not there, whatever it held."""
    event = tailored(
        EVENT, omit=frozenset({"fromName", "data"}), form="received", numbers=Numbers()
    )
    assert (event.from_name, event.data, event.from_) == (None, None, "26110203")


@given(omit=st.frozensets(st.sampled_from(sorted(OMITTABLE))))
def test_nothing_of_an_omitted_field_is_in_the_body(omit: frozenset[str]) -> None:
    """The stored body that is sent on has exactly the other fields."""
    tailor = tailor_of(a_subscription(omit=omit), Numbers())
    body = encode(EVENT) if tailor is None else tailor(encode(EVENT))
    left = tailored(stored(encode(EVENT)), omit=omit, form="received", numbers=Numbers())
    assert stored(body) == left


def test_without_a_wish_nothing_is_done() -> None:
    """The usual subscription pays nothing."""
    assert tailor_of(a_subscription(), Numbers()) is None
