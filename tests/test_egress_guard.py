"""`[egress]` from the configuration file in front of every endpoint of a real daemon."""

from pathlib import Path
from typing import Final

from household import Daemon, Producer, a_receiver, an_event

EGRESS: Final = '[egress]\ndeny = ["127.0.0.0/8"]\nallow = ["127.0.0.2/32"]\n'


def attempts(log: list[dict[str, object]]) -> list[tuple[object, object]]:
    """Place and reason of each attempt."""
    return [
        (line["place"], line["reason"]) for line in log if line["event"] == "delivery.attempted"
    ]


async def test_the_primary_and_every_fallback_are_vetted(tmp_path: Path) -> None:
    """Only the last of five endpoints may be dialled, and it gets the event."""
    async with a_receiver(host="127.0.0.2") as receiver:
        subscription = f"""
[[subscription]]
name = "crm"
url = "http://127.0.0.1:{receiver.port}/"
fallback = [
  {{ url = "http://[::ffff:169.254.169.254]/latest/meta-data" }},
  {{ url = "tcp://[64:ff9b::a9fe:a9fe]:80" }},
  {{ url = "udp://[2002:a9fe:a9fe::]:80" }},
  {{ url = "http://127.0.0.2:{receiver.port}/calls" }},
]
"""
        daemon = Daemon(tmp_path, subscription, EGRESS)
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall", id="e1")])
            await receiver.until(lambda r: r.ids() == ["e1"], within_s=10)
            await daemon.until(lambda log: len(attempts(log)) >= 5, within_s=10)
    assert attempts(daemon.log) == [
        ("primary", "egress_denied"),
        ("fallback-1", "egress_denied"),
        ("fallback-2", "egress_denied"),
        ("fallback-3", "egress_denied"),
        ("fallback-4", "http_200"),
    ]


async def test_a_status_callback_is_vetted(tmp_path: Path) -> None:
    """The call's later states have no other way out than its first."""
    async with a_receiver(host="127.0.0.2") as receiver:
        subscription = f"""
[[subscription]]
name = "crm"
url = "http://127.0.0.2:{receiver.port}/"
status_callback = {{ url = "http://[::ffff:7f00:1]:{receiver.port}/state" }}
"""
        daemon = Daemon(tmp_path, subscription, EGRESS)
        async with daemon.running():
            lines = [an_event("c1", "newCall", id="e1"), an_event("c1", "answer", id="e2")]
            await Producer(daemon.door).feed(lines)
            await daemon.until(lambda log: len(attempts(log)) >= 2, within_s=10)
    reasons = [reason for _, reason in attempts(daemon.log)]
    assert (reasons, receiver.ids()) == (["http_200", "egress_denied"], ["e1"])
