"""Whether a host may be reached by somebody who resolves its name anew: a proxy.

A dialler picks one of the addresses that are allowed; a proxy picks for itself, so all of them
must be. A name that cannot be resolved here cannot be vetted, so it is refused.
"""

from ipaddress import ip_address

from callpost.edge.dial.resolve import LookUp, Resolver
from callpost.model.egress import Guard
from callpost.model.outcome import LocalFault, Retry


class Vetting:
    """Asks the guard about every address of a host; `look_up` stands in for the resolver."""

    def __init__(self, guard: Guard, *, look_up: LookUp | None = None) -> None:
        self._guard = guard
        self._resolver = Resolver(look_up)

    async def refusal(self, host: str) -> Retry | LocalFault | None:
        """Why nothing may be sent to `host`, an A-label or an address; None where it may."""
        answers = (host,) if _is_address(host) else await self._resolver.addresses(host)
        if not isinstance(answers, tuple):
            return answers
        if any(self._guard.refusal(address) is not None for address in answers):
            return Retry(reason="egress_denied", phase="connect")
        return None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
