"""The commands' side of the control door: HTTP over the daemon's Unix socket.

`control` asks and orders, `attempts` reads the stream, `first_answer` looks at whose answer it
is, `faults` has the sentences for what goes wrong.
"""

from callpost.edge.call_control.control import Control, control
from callpost.edge.call_control.faults import ControlRefused, ControlUnreachable
from callpost.edge.call_control.first_answer import Slow

__all__ = ["Control", "ControlRefused", "ControlUnreachable", "Slow", "control"]
