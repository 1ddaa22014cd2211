"""A change of the cards, and how the index's refusals are said: as problem documents."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from callpost.api.own.documents import FILE
from callpost.api.ports import CardIndex, CardsRefused, Listed, TooManyCards
from callpost.model.caller import Caller
from callpost.model.card import CardsChanged
from callpost.model.fault import Fault
from callpost.web.problem import FieldFault, Refusal, refusal_of

# What is quoted is a name and stays as it is; items are counted from 1 there, from 0 here.
_ITEM: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\[(\d+)\]')
_CUSTOMER_MAX_CHARS: Final = 255


async def change(index: CardIndex, decide: Callable[[], CardsChanged]) -> None:
    """Write down what `decide` says; raises Refusal."""
    try:
        await index.change(decide)
    except CardsRefused as refused:
        raise refusal_of([_told(fault) for fault in refused.faults]) from None
    except TooManyCards as fault:
        raise Refusal(409, str(fault)) from None


def not_ours(listed: Listed) -> Refusal:
    """Of what cannot be changed here: where it can."""
    if listed.origin == FILE:
        return Refusal(409, "It stands in the configuration file; change it there.")
    return Refusal(409, f"It was made over {listed.origin}; change it there.")


def customer_of(caller: Caller, sent: Mapping[str, object]) -> str:
    """Whose a new thing is; raises Refusal."""
    customer = sent.get("customer")
    if customer is None:
        if caller.role == "admin":
            return ""
        if caller.only_customer is None:
            raise _refused("is required: this token acts for several customers")
        return caller.only_customer
    if not isinstance(customer, str) or len(customer) > _CUSTOMER_MAX_CHARS:
        raise _refused(f"expected a text of at most {_CUSTOMER_MAX_CHARS} characters")
    if not caller.acts_for(customer):
        # Whether there is such a one is nobody's business.
        raise _refused("is none that this token acts for")
    return customer


def check_stays(sent: Mapping[str, object], key: str, value: str) -> None:
    """Refuse a change of what a thing keeps for ever; raises Refusal."""
    if sent.get(key, value) != value:
        raise refusal_of([FieldFault(f"$.{key}", "cannot be changed")])


def _refused(sentence: str) -> Refusal:
    return refusal_of([FieldFault("$.customer", sentence)])


def _told(fault: Fault) -> FieldFault:
    path = _ITEM.sub(lambda one: one[0] if one[1] is None else f"[{int(one[1]) - 1}]", fault.path)
    return FieldFault(f"$.{path}" if path else "$", fault.sentence)
