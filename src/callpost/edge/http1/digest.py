"""Digest authentication (RFC 7616): who answers challenges, and how often one attempt is made.

httpx, whose flow proves the password (`proofs`), is imported for endpoints with Digest alone:
most daemons have none, and their start would wait for it.
"""

from collections.abc import Awaitable, Callable
from typing import Self

from callpost.edge.http1.attempt import Attempt
from callpost.edge.http1.connection import Answer
from callpost.edge.http1.head import RequestHead
from callpost.model.delivery import Message
from callpost.model.endpoint import Auth, DigestAuth


class Digest:
    """Answers the challenges of one endpoint; the last one is remembered."""

    def __init__(self, username: str, password: str) -> None:
        from callpost.edge.http1.proofs import Prover  # noqa: PLC0415 - see above

        self._prover = Prover(username, password)

    @classmethod
    def of(cls, auth: Auth | None) -> Self | None:
        """What answers the challenges of an endpoint; None where it does not use Digest."""
        match auth:
            case DigestAuth(username, password):
                return cls(username, password)
            case _:
                return None

    async def attempt(
        self,
        attempt: Attempt,
        head: RequestHead,
        message: Message,
        exchange: Callable[[Attempt, bytes], Awaitable[None]],
    ) -> None:
        """Make the attempt by one exchange or two: the challenge and the answer to it are one."""

        async def once(authorization: str) -> Answer | None:
            await exchange(attempt, head.request(message, authorization=authorization))
            return attempt.result if isinstance(attempt.result, Answer) else None

        await self.exchange(head.method, head.target(message), once)

    async def exchange(
        self, method: str, target: bytes, attempt: Callable[[str], Awaitable[Answer | None]]
    ) -> None:
        """Call `attempt` with the Authorization to send, once more where it is challenged.

        `attempt` returns the answer, or None where there was none.
        """
        proofs = self._prover.proofs(method, target)
        authorization = next(proofs)
        while (answer := await attempt(authorization)) is not None:
            try:
                authorization = proofs.send(answer)
            except StopIteration:
                return
