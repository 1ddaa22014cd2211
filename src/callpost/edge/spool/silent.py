"""Finds calls that nobody has ended, by walking the events in the order of acceptance.

An event is looked at once, when it is as old as a silence may be: if it is still the last of its
call, and the call has no hangup and no cdr, then the call has been silent since.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final, Protocol

from callpost.model.silence import Silence, SilentCall

# Events looked at in one turn: under 2 ms, for reading holds the loop.
_CHUNK: Final = 1_000

_IS_EVENT: Final = 'substr({0}.body, 1, 10) = cast(\'{{"event":"\' as blob)'
# Canonical JSON begins with the kind.
_IS_END: Final = """substr({0}.body, 1, 14)
    in (cast('{{"event":"hang' as blob), cast('{{"event":"cdr"' as blob))"""
NEXT: Final = "select number, accepted_at from events where number > ? order by number limit ?"
# A delivery report is a row of its call too, but it is no event of it.
_IS_LAST: Final = f"""{_IS_EVENT.format("e")}
      and not exists (select 1 from events l
                      where l.call = e.call and l.number > e.number and {_IS_EVENT.format("l")})
      and not exists (select 1 from events h where h.call = e.call and {_IS_END.format("h")})"""  # noqa: S608 - from constants
UNENDED_AMONG: Final = f"""select e.number from events e
    where e.number between ? and ? and e.accepted_at > ? and {_IS_LAST}"""  # noqa: S608 - from constants
SILENT: Final = f"""select e.number, s.customer, s.source,
      (select f.body from events f
       where f.call = e.call and {_IS_EVENT.format("f")} order by f.number limit 1),
      e.body
    from events e cross join scopes s on s.scope = e.scope
    where e.number > :after and e.number <= :last and {_IS_LAST}"""  # noqa: S608 - from constants


class ReadRows(Protocol):
    """Reads all rows of a statement; raises SpoolUnreadable."""

    def __call__(self, sql: str, values: Sequence[object] | Mapping[str, object]) -> list[Any]:
        """Return them."""
        ...


def read_silent(rows_of: ReadRows, *, after: int, before: float) -> Silence:
    """Look at the next events above number `after` that were accepted by `before`."""
    chunk = rows_of(NEXT, (after, _CHUNK))
    old = list(takewhile(lambda row: row[1] <= before, chunk))
    if not old:
        return Silence((), after, ended=True)
    last = old[-1][0]
    rows = rows_of(SILENT, {"after": after, "last": last})
    calls = tuple(
        SilentCall(number=number, customer=customer, source=source, first=first, last=body)
        for number, customer, source, first, body in rows
    )
    return Silence(calls, last, ended=len(old) < _CHUNK)
