"""What a proxy that forwards is asked: the whole URL, with what it wants to know of us."""

from msgspec.structs import replace

from callpost.edge.send_http_negotiated.tunnel import proxy_headers
from callpost.model.endpoint import HttpEndpoint


def as_forwarded(endpoint: HttpEndpoint) -> HttpEndpoint:
    """The endpoint as a proxy that forwards is asked for it (RFC 9112, section 3.2.2).

    Through a tunnel, and without a proxy, it is asked as itself.
    """
    if endpoint.proxy is None or endpoint.scheme == "https":
        return endpoint
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    authority = host if endpoint.port == 80 else f"{host}:{endpoint.port}"
    own_names = {name.lower() for name, _ in endpoint.headers}
    ours = [pair for pair in proxy_headers(endpoint.proxy.auth) if pair[0] not in own_names]
    return replace(
        endpoint,
        target=f"http://{authority}{endpoint.target}",
        headers=(*endpoint.headers, *ours),
    )
