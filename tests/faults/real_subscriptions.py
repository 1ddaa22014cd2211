"""The subscriptions that real daemons are tried with, what each may do, and calls for all of them.

Everybody's age is an hour: what is not delivered at once is late, not dead.
"""

import json
import socket
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from callpost.model.vocabulary import Kind
from faults.history import Promise, Sent, digest_of
from faults.real_receivers import Conduct
from faults.simulated_endpoints import call_of
from faults.simulated_settings import Letter

_KINDS: Final[tuple[Kind, ...]] = ("newCall", "ringing", "answer", "dtmf", "hangup", "cdr")
_EDGES: Final[frozenset[Kind]] = frozenset({"newCall", "hangup"})
# Who wants less than everything.
_WISHES: Final = {"slow": _EDGES, "turns": _EDGES}
CONCURRENCY: Final = 4

PROMISES: Final = (
    Promise("crm"),
    Promise("slow"),
    # Of its requests 30 % fail: it is sick, or forgets to answer, or does not like them.
    Promise("flaky", reasons=frozenset({"rejected"}), reported=frozenset({"dead", "delivered"})),
    Promise("backup"),
    Promise("line"),
    Promise("desk", has_callback=True),
    Promise("turns", order="subscription"),
)
# Who comes and goes with the reloads: any event may be for them, or not.
GUESTS: Final = (
    Promise("guest", reasons=frozenset({"subscription_removed"})),
    Promise("lodger", order="subscription", reasons=frozenset({"subscription_removed"})),
)
CONDUCTS: Final = {
    "guest": Conduct(sick=0.1),
    "lodger": Conduct(slow_s=0.02),
    "slow": Conduct(slow_s=0.1),
    "flaky": Conduct(sick=0.2, forgetful=0.07, picky=0.03),
    "line": Conduct(sick=0.05, forgetful=0.05),
    "backup": Conduct(sick=0.1),
}
NAMES: Final = frozenset(one.name for one in PROMISES)


def configured(promises: Sequence[Promise], host: str, http: int, tcp: int, nobody: int) -> str:
    """All of them; nobody listens at the last port."""
    reported = f'{{ url = "http://{host}:{http}/flaky/report", on = ["dead", "delivered"] }}'
    own = {
        "slow": _events(_EDGES),
        "backup": f'fallback = [{{ url = "http://{host}:{http}/backup/fallback-1" }}]',
        "line": "ack = true\nenvelope = true",
        "desk": f'status_callback = {{ url = "http://{host}:{http}/desk/callback" }}',
        "turns": f'order = "subscription"\n{_events(_EDGES)}',
        "lodger": 'order = "subscription"',
    }
    urls = {
        "backup": f"http://{host}:{nobody}/backup/primary",
        "line": f"tcp://{host}:{tcp}",
    }
    return "\n".join(
        f'[[subscription]]\nname = "{one.name}"\nmethod = "POSTJSON"\n'
        f'url = "{urls.get(one.name, f"http://{host}:{http}/{one.name}/primary")}"\n'
        "retry = { pauses_s = [0.1, 0.2, 0.5], max_age_s = 3600 }\n"
        f"concurrency = {CONCURRENCY}\n{own.get(one.name, '')}\n"
        + (f"delivery_report = {reported}\n" if one.reported else "")
        for one in promises
    )


def reconfigured(text: str, chance: Random) -> str:
    """The same subscriptions, some of them under settings that promise no less."""
    before = f"concurrency = {CONCURRENCY}\n"
    first, *others = text.split(before)
    settings = (
        before
        if chance.random() < 0.6
        else f'concurrency = {chance.randint(1, CONCURRENCY)}\nnote = "{chance.random()}"\n'
        for _ in others
    )
    return first + "".join(setting + other for setting, other in zip(settings, others, strict=True))


def calls(chance: Random, producer: str) -> Iterator[Letter]:
    """Calls without end, a dozen of them at a time, interleaved."""
    number = 0
    talking: list[Iterator[Letter]] = []
    while True:
        while len(talking) < 12:
            talking.append(_call(chance, producer, number))
            number += 1
        call = chance.choice(talking)
        try:
            yield next(call)
        except StopIteration:
            talking.remove(call)


def fresh(within_s: float) -> Iterator[Letter]:
    """One call that must come soon."""
    for place, kind in enumerate(_KINDS):
        letter = _letter(kind, "p0", "fresh", place)
        letter.sent.within_s = within_s
        yield letter


def _events(kinds: frozenset[Kind]) -> str:
    return f"events = {json.dumps(sorted(kinds))}"


def _call(chance: Random, producer: str, number: int) -> Iterator[Letter]:
    for place, kind in enumerate(_KINDS[: chance.choice((2, 4, 5, 6, 6))]):
        yield _letter(kind, producer, f"c{number}", place)


def _letter(kind: Kind, producer: str, call: str, place: int) -> Letter:
    event_id = f"{producer}-{call}-{place}"
    fields: dict[str, object] = {"event": kind, "callId": call, "source": producer, "id": event_id}
    fields["data"] = {"mark": event_id * (1 + place % 3)}
    if kind == "dtmf":
        fields["dtmf"] = "4*2"
    sent = Sent(
        id=event_id,
        call=call_of(fields),
        kind=kind,
        digest=digest_of(fields),
        wanted_by=frozenset(name for name in NAMES if kind in _WISHES.get(name, _KINDS)),
        sent_at=-1.0,
        perhaps=frozenset(one.name for one in GUESTS),
    )
    return Letter(sent, json.dumps(fields).encode())


def a_free_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
