"""HTTP through the library httpx, for endpoints that ask for it (`http_client = "httpx"`).

What is dialled, proxied and secured is what the other senders dial; only HTTP itself is httpx's.
"""

from callpost.edge.send_httpx.sender import HttpxSender

__all__ = ["HttpxSender"]
