"""How much work a delivery is, counted in calls of Python functions instead of in time.

The whole path is real: `callpost run`, Unix socket, spool on disk, log, HTTP over loopback.
Producer and receiver are processes of their own, so all that is counted is callpost's.
"""

import signal
from pathlib import Path
from typing import Final

from bench.daemons import a_subscription, daemon_running
from bench.producers import feed
from bench.receivers import receiver_running

WARM_UP: Final = 200
COUNTED: Final = 600
# Measured: 179 on CPython 3.11, within one per cent on a busy machine as on an idle one. Some 15
# per cent are left for what other versions of Python and of the libraries do differently; beyond
# that somebody has put something into the path of every delivery, some 0.2 us for each call.
CALLS_MAX: Final = 205


def calls_per_delivery(folder: Path) -> float:
    """Counted from the first event after the warm-up to the end of the daemon."""
    count = folder / "calls"
    program = (Path(__file__).with_name("count_calls.py"), count)
    with receiver_running("and_time") as receiver:
        url = f"http://127.0.0.1:{receiver.ports[0]}/calls"
        subscription = a_subscription("crm", url, "concurrency = 16")
        with daemon_running(folder, subscription, program=program) as daemon:
            feed(daemon.door, WARM_UP, tag="warm")
            daemon.wait_until_settled(within_s=10)
            daemon.process.send_signal(signal.SIGUSR1)
            feed(daemon.door, COUNTED)
            daemon.wait_until_settled(within_s=20)
    return int(count.read_text()) / COUNTED


def test_a_delivery_takes_few_calls(tmp_path: Path) -> None:
    """Saturated, one subscription, from the producer's line to the outcome on disk."""
    assert calls_per_delivery(tmp_path) <= CALLS_MAX
