"""callpost: delivers call events to subscribers, durably and in order.

The README has the map of the house; `daemon` is where its floors meet.
"""

__version__ = "0.1.0"
