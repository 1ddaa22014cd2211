"""BAS-IP's forward rules with link_id, as developers.bas-ip.com has them."""

from callpost.api.basip.lists import is_entity, read, written

__all__ = ["is_entity", "read", "written"]
