"""The commands' side of the control door: HTTP over the daemon's Unix socket.

`control` asks and orders, `attempts` reads the stream, `faults` has the sentences for what goes
wrong.
"""

from callpost.edge.call_control.control import Control, control
from callpost.edge.call_control.faults import ControlRefused, ControlUnreachable

__all__ = ["Control", "ControlRefused", "ControlUnreachable", "control"]
