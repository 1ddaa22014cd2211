"""Receivers for trying things out and for the demo: HTTP, TCP and UDP.

Each reports what arrives, answers as it is told to, and outlives every broken client.
"""

from callpost.edge.listen.arrival import Arrived, Behaviour
from callpost.edge.listen.http import serve_http
from callpost.edge.listen.places import AddressUnusable, bind_http, bind_tcp, bind_udp
from callpost.edge.listen.tcp import serve_tcp
from callpost.edge.listen.udp import serve_udp

__all__ = [
    "AddressUnusable",
    "Arrived",
    "Behaviour",
    "bind_http",
    "bind_tcp",
    "bind_udp",
    "serve_http",
    "serve_tcp",
    "serve_udp",
]
