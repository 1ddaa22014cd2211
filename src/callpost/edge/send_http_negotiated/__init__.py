"""HTTP for endpoints that want more than the plain exchange: HTTP/2, or a way through a proxy.

They are few, so what they need is kept off the others' path.
"""

from callpost.edge.send_http_negotiated.sender import NegotiatingHttpSender

__all__ = ["NegotiatingHttpSender"]
