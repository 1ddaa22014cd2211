"""The log: structlog, one JSON object a line, coloured lines on a terminal, or the journal.

Nothing is configured globally: `open_logs` returns what is handed down. A log that cannot be
written never stops a delivery.
"""

from callpost.edge.logs.open import Logs, collecting_log, collecting_logs, open_logs

__all__ = ["Logs", "collecting_log", "collecting_logs", "open_logs"]
