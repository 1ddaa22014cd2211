"""TLS: contexts from an endpoint's settings, and the handshake.

Peers are verified by the name that was dialled, an address by itself.
"""

import os
import socket
import ssl

import trio

from callpost.edge.dial.fault import reason_of
from callpost.model.endpoint import Tls
from callpost.model.outcome import LocalFault, Retry


class TlsContexts:
    """Contexts by their settings.

    Those without files are shared: each would hold the system's whole list of authorities, in
    memory and in time. Files are read anew for every endpoint, so that a reload sees them.
    """

    def __init__(self) -> None:
        self._shared: dict[Tls, ssl.SSLContext] = {}

    def context(self, tls: Tls) -> ssl.SSLContext | Retry | LocalFault:
        """A context for `tls`, or why a file could not be read."""
        shortage = _shortage()
        if shortage is not None:
            return shortage
        if tls.ca_file or tls.client_cert:
            return _from_files(tls)
        context = self._shared.get(tls)
        if context is None:
            context = self._shared[tls] = _configured(ssl.create_default_context(), tls)
        return context


def _shortage() -> LocalFault | None:
    """Whether files cannot be opened at all.

    OpenSSL says nothing when it cannot read the system's authorities: the context would trust
    nobody for as long as the daemon lives.
    """
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return LocalFault(f"tls:{reason_of(error)}")
    return None


async def shake_hands(
    sock: socket.socket, host: str, context: ssl.SSLContext
) -> ssl.SSLSocket | Retry:
    """TLS over a connected, non-blocking socket; the socket is closed where it fails."""
    try:
        secured = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except OSError as error:
        sock.close()
        return _failed(error)
    try:
        await _handshake(secured)
    except OSError as error:
        secured.close()
        return _failed(error)
    except BaseException:
        secured.close()
        raise
    return secured


async def _handshake(secured: ssl.SSLSocket) -> None:
    while True:
        try:
            return secured.do_handshake()
        except ssl.SSLWantReadError:
            await trio.lowlevel.wait_readable(secured)
        except ssl.SSLWantWriteError:
            await trio.lowlevel.wait_writable(secured)


def _failed(error: OSError) -> Retry:
    reason = reason_of(error)
    return Retry(reason=reason if reason.startswith("tls:") else f"tls:{reason}", phase="tls")


def _from_files(tls: Tls) -> ssl.SSLContext | Retry:
    try:
        context = ssl.create_default_context(cafile=tls.ca_file or None)
    except OSError as error:
        return _unusable("ca_file", error)
    if tls.client_cert:
        try:
            # An empty password instead of none: OpenSSL would ask for one on the terminal.
            context.load_cert_chain(tls.client_cert, tls.client_key or None, password=lambda: "")
        except OSError as error:
            return _unusable("client_cert or client_key", error)
    return _configured(context, tls)


def _unusable(files: str, error: OSError) -> Retry:
    """They were good when the configuration was read, and have changed since."""
    what = "used" if isinstance(error, ssl.SSLError) else "read"
    return Retry(reason=f"tls:{files} cannot be {what}", phase="tls")


def _configured(context: ssl.SSLContext, tls: Tls) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A peer that renegotiates wants to make us work; nobody does it in earnest.
    context.options |= ssl.OP_NO_RENEGOTIATION
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
