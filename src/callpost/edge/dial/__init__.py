"""The way out: name -> vetted addresses -> connected socket, with TLS where it is asked for.

Nothing leaves the machine by another way, so the egress guard sees every address. What fails
is an outcome (`Retry`, `LocalFault`), never an exception.
"""

from callpost.edge.dial.certificates import Certificates, file_ends_at
from callpost.edge.dial.dialer import Dialer, TenantsDialer
from callpost.edge.dial.link import Link

__all__ = ["Certificates", "Dialer", "Link", "TenantsDialer", "file_ends_at"]
