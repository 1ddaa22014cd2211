"""TelecomX callnotify, as wiki.telecomx.dk has it."""

from callpost.api.telecomx.lists import id_of, read, written

__all__ = ["id_of", "read", "written"]
