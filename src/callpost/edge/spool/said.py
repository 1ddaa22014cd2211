"""What the events of a call have said so far: whether it was answered, which way it goes.

Looked up by the call's name, with a few microseconds for an index; nothing is known of events
that retention or a purge has taken.
"""

from typing import Final

import msgspec
from msgspec import Struct

from callpost.edge.spool.silent import ReadRows
from callpost.model.flow import Way
from callpost.model.vocabulary import Direction

# Canonical JSON begins with the kind; `answered` in a hangup is another word.
ANSWERED: Final = """select 1
    from scopes s cross join calls c on c.scope = s.scope and c.call_id = :call_id
         cross join events e on e.call = c.call
    where s.customer = :customer and s.source = :source
      and substr(e.body, 1, 17) = cast('{"event":"answer"' as blob)
    limit 1"""
# The latest newCall, then all others from the first on. Within a text a quotation mark is
# escaped, so that only `data` can have the words too. A hundred are looked at: one that says
# everything is most often the first.
WAY: Final = """select e.body, substr(e.body, 1, 18) = cast('{"event":"newCall"' as blob) new
    from scopes s cross join calls c on c.scope = s.scope and c.call_id = :call_id
         cross join events e on e.call = c.call
    where s.customer = :customer and s.source = :source
      and (instr(e.body, cast(',"direction":"' as blob)) > 0
        or instr(e.body, cast(',"from":"' as blob)) > 0)
    order by new desc, case when new then -e.number else e.number end
    limit 100"""


class _Said(Struct, rename={"from_": "from"}):
    direction: Direction | None = None
    from_: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Said)


def read_answered(rows_of: ReadRows, *, customer: str, source: str, call_id: str) -> bool:
    """Say whether an `answer` event of the call is kept; some 5 us."""
    names = {"customer": customer, "source": source, "call_id": call_id}
    return bool(rows_of(ANSWERED, names))


def read_way(rows_of: ReadRows, *, customer: str, source: str, call_id: str) -> Way:
    """What the call's newCall says, or else the first event that does; some 8 us."""
    names = {"customer": customer, "source": source, "call_id": call_id}
    direction: Direction | None = None
    from_: str | None = None
    for body, _ in rows_of(WAY, names):
        said = _said(body)
        direction, from_ = direction or said.direction, from_ or said.from_
        if direction and from_:
            break
    return Way(direction, from_)


def _said(body: bytes) -> _Said:
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        # The disk has spoilt it: it says nothing.
        return _Said()
