"""Who may come in from the network: those who send the secret of a token.

Failed tries wait for their answer and are told of in the log, never with what was offered; who
has a good token is not slowed by anybody's failures.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hmac import compare_digest
from typing import Final

import trio
from msgspec import Struct
from starlette.requests import Request
from structlog.typing import FilteringBoundLogger

from callpost.model.api_door import Token, digest_of
from callpost.web.offered import NothingOffered, Reason, offered, sentence_of
from callpost.web.problem import Refusal
from callpost.web.site import Admitted
from callpost.web.slowing import PAUSE_MAX_S, pause_s, peer_of, with_failure

# Each holds a connection; more of them are answered at once, so that others can come in.
WAITING_MAX: Final = 64
# Some 3 MiB, if somebody has that many addresses.
PEERS_MAX: Final = 10_000
# The failures of one peer are told of so often at most.
_QUIET_S: Final = 10.0
_CHALLENGE: Final = 'Bearer realm="callpost", Basic realm="callpost", charset="UTF-8"'


class _Peer(Struct, frozen=True):
    """When it has failed of late, when that was last told, and how many were not told since."""

    failures: tuple[float, ...] = ()
    told_at: float = float("-inf")
    untold: int = 0


class Admission:
    """See web.site.Admit; `tokens` gives those that are in force, `now` steady seconds."""

    def __init__(
        self,
        tokens: Callable[[], Sequence[Token]],
        *,
        now: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._tokens = tokens
        self._now = now
        self._log = log
        # The one that has failed last stands last.
        self._peers: OrderedDict[str, _Peer] = OrderedDict()
        self._waiting = 0

    async def admit(self, request: Request) -> Admitted | Refusal:
        """Who asks, or 401, or 429 where too many wait for that."""
        found = offered(request.headers.getlist("authorization"))
        host = request.client.host if request.client is not None else None
        if isinstance(found, NothingOffered):
            return await self._denied(host, found.reason)
        token = self._token_with(digest_of(found.secret))
        if token is None:
            return await self._denied(host, "unknown")
        return Admitted(token.caller, found.username)

    def _token_with(self, digest: bytes) -> Token | None:
        """All are compared, each in the same time, so that how long it takes tells nothing."""
        found: Token | None = None
        for token in self._tokens():
            if compare_digest(token.digest, digest):
                found = token
        return found

    async def _denied(self, host: str | None, reason: Reason) -> Refusal:
        if reason == "missing":
            # That is how many clients ask what is wanted, before they send it.
            self._log.debug("api.denied", peer=host or peer_of(host), reason=reason)
            return _refusal(reason)
        peer = self._failed(host, reason)
        if self._waiting >= WAITING_MAX:
            retry_after = {"Retry-After": f"{PAUSE_MAX_S:.0f}"}
            return Refusal(429, "There are too many failed tries.", headers=retry_after)
        self._waiting += 1
        try:
            await trio.sleep(pause_s(peer.failures))
        finally:
            self._waiting -= 1
        return _refusal(reason)

    def _failed(self, host: str | None, reason: Reason) -> _Peer:
        """Remember it of the peer, and tell of it, unless that was done just now."""
        key, now = peer_of(host), self._now()
        known = self._peers.pop(key, _Peer())
        failures = with_failure(known.failures, now)
        if now - known.told_at < _QUIET_S:
            peer = _Peer(failures, known.told_at, known.untold + 1)
        else:
            peer = _Peer(failures, now)
            self._log.warning(
                "api.denied", peer=host or key, reason=reason, deniedSince=known.untold
            )
        self._peers[key] = peer
        if len(self._peers) > PEERS_MAX:
            self._peers.popitem(last=False)
        return peer


def _refusal(reason: Reason) -> Refusal:
    return Refusal(401, sentence_of(reason), headers={"WWW-Authenticate": _CHALLENGE})
