"""The words of the field: kinds of events, methods, levels, selections, vocabularies.

Only words and the sets they form; `formats` turns an event into content with them.
"""

from typing import Final, Literal, get_args

Kind = Literal[
    "newCall", "ringing", "answer", "hold", "resume", "transfer", "dtmf", "hangup", "cdr"
]
Direction = Literal["in", "out", "internal"]
# The direction as one extension sees it: a call within the house goes out for one, in for another.
Flow = Literal["in", "out"]
Cause = Literal[
    "normalClearing",
    "busy",
    "cancel",
    "noAnswer",
    "congestion",
    "notFound",
    "forwarded",
    "unknown",
]
Network = Literal["SIP", "MVNO"]
ExtensionType = Literal["phone", "queue", "conference", "ivr"]

Method = Literal["POSTARGS", "POSTXML1", "POSTXML2", "POSTJSON", "GET1", "GET2"]
Selection = Literal["SIP", "MVNO", "ALL"]
Level = Literal[1, 2]
Vocabulary = Literal["callpost", "sipgate", "voipnow", "swml", "zammad"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
FLOWS: Final[tuple[Flow, ...]] = get_args(Flow)
METHODS: Final[tuple[Method, ...]] = get_args(Method)

# What each vocabulary can say. An event outside its set is not routed to a subscription that
# speaks it: no delivery, no dead letter, no hole in `seq`.
KINDS_OF: Final[dict[Vocabulary, frozenset[Kind]]] = {
    "callpost": frozenset(KINDS),
    "sipgate": frozenset({"newCall", "answer", "hangup", "dtmf"}),
    "voipnow": frozenset({"newCall", "answer", "hangup"}),
    "swml": frozenset({"newCall", "ringing", "answer", "hangup"}),
    "zammad": frozenset({"newCall", "answer", "hangup"}),
}
# sipgate.io and SignalWire know calls that come in and calls that go out; zammad refuses any other
# word, and an event that has none.
DIRECTIONS_OF: Final[dict[Vocabulary, frozenset[Direction]]] = {
    "callpost": frozenset(DIRECTIONS),
    "sipgate": frozenset({"in", "out"}),
    "voipnow": frozenset(DIRECTIONS),
    "swml": frozenset({"in", "out"}),
    "zammad": frozenset({"in", "out"}),
}
