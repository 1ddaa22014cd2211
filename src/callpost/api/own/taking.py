"""What may be taken away here: callpost's own, and what is left out of any dialect.

The latter by an admin alone, for the dialect's own paths may not lead to it any more: often its
customer is no longer there. What is in force is changed where it was made.
"""

from callpost.api.own.changing import not_ours
from callpost.api.ports import CardIndex, Listed
from callpost.model.caller import Caller


def check_takeable(caller: Caller, listed: Listed) -> None:
    """Refuse what this caller cannot take away here; raises Refusal."""
    is_stranded = listed.left_out and caller.role == "admin"
    if listed.origin != "api" and not is_stranded:
        raise not_ours(listed)


def check_stranded(index: CardIndex, listed: Listed, left_out: Listed | None) -> None:
    """Refuse what has come in force again; raises Refusal.

    `left_out` is what there is of it under the index's lock, None also where it is gone.
    """
    if left_out is None and listed.card and index.card(listed.card.dialect, listed.card.id):
        raise not_ours(listed)
