"""PortSIP's action URLs of virtual receptionists: read from a list answer, and written as one."""

from callpost.api.portsip.answer import written
from callpost.api.portsip.reading import read

__all__ = ["read", "written"]
