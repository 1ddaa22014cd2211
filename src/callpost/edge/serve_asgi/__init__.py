"""Serves an ASGI app over HTTP/1.1 on a socket that is handed in, over TLS if wanted.

Hypercorn speaks the protocol on trio, one connection at a time; the door, the limits and the end
are here.
"""

from callpost.edge.serve_asgi.app import App, Message, Receive, Send
from callpost.edge.serve_asgi.connection import Patience
from callpost.edge.serve_asgi.door import CONNECTIONS_MAX, serve_asgi
from callpost.edge.serve_asgi.protocol import HEAD_MAX_BYTES

__all__ = [
    "CONNECTIONS_MAX",
    "HEAD_MAX_BYTES",
    "App",
    "Message",
    "Patience",
    "Receive",
    "Send",
    "serve_asgi",
]
