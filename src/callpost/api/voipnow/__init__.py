"""VoipNow's phoneCallEvents, as wiki.4psa.com has them."""

from callpost.api.voipnow.lists import read, written

__all__ = ["read", "written"]
