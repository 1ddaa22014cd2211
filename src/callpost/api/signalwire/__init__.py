"""SignalWire's external SWML handlers, as developer.signalwire.com has them."""

from callpost.api.signalwire.lists import read, written

__all__ = ["read", "written"]
