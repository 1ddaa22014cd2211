"""Why a connection could not be made, as a sentence for people; the log has the word."""

from typing import Final, assert_never

from callpost.model.outcome import LocalFault, Phase, Retry

_SENTENCES: Final = {
    "egress_denied": "[egress] denies its address",
    "dns:not_found": "no name server knows the name",
    "dns:temporary_failure": "no name server answers",
    "dns:failure": "the name server failed",
    "dns:no_address_of_this_family": "the name has no address of the family that [egress] asks for",
    "connect:refused": "the connection was refused: nobody listens there, or a firewall is closed",
    "connect:reset": "the connection was reset",
    "connect:host_unreachable": "the host is unreachable",
    "connect:no_response": "nothing answered",
    "tls:closed": "the peer closed the connection during the TLS handshake",
    "tls:reset": "the peer reset the connection during the TLS handshake",
    "tls:wrong version number": "the peer does not speak TLS on this port",
    "http_407": "it asks for other credentials (407)",
    "closed": "it closed the connection",
    "protocol": "it does not speak HTTP",
}
_LATE: Final[dict[Phase, str]] = {
    "resolve": "no name server answered",
    "connect": "nothing answered",
    "tls": "the TLS handshake did not end",
}


def sentence_of(failure: Retry | LocalFault, *, within_s: float) -> str:
    """What is wrong, without a full stop; `within_s` is the time-out that there was."""
    match failure:
        case LocalFault():
            return f"this machine could not try: {_words(failure.reason)}"
        case Retry(timed_out=True):
            late = _LATE.get(failure.phase or "connect", "it did not end")
            whose = "at the proxy " if failure.reason.startswith("proxy:") else ""
            return f"{whose}{late} within {within_s:g} s"
        case Retry(reason=reason):
            if reason.startswith("proxy:"):
                return f"the proxy: {_sentence(reason.removeprefix('proxy:'))}"
            return _sentence(reason)
        case _ as unreachable:
            assert_never(unreachable)


def _sentence(reason: str) -> str:
    known = _SENTENCES.get(reason)
    if known is not None:
        return known
    kind, _, words = reason.partition(":")
    match kind:
        case "connect" | "udp":
            return f"no connection: {_words(words)}"
        case "tls" if words.startswith("certificate "):
            return f"its {words.replace('certificate ', 'certificate is not accepted: ', 1)}"
        case "tls":
            return f"TLS failed: {words}"
        case _ if reason.startswith("http_"):
            return f"it answered {reason.removeprefix('http_')}"
        case _:
            return _words(reason)


def _words(reason: str) -> str:
    return reason.replace("_", " ").replace(":", ": ")
