"""Calls that nobody ends, through the whole house: the daemon's hangup, once and in order."""

import signal
from pathlib import Path

from household import Daemon, Producer, Receiver, a_receiver, an_event

# A call may be silent for a second here; the daemon looks ten times in that time.
IMPATIENT = '[calls]\nend_after = "1s"\n'


def a_daemon(directory: Path, receiver: Receiver, top: str = IMPATIENT) -> Daemon:
    """One subscription to everything."""
    crm = f'[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{receiver.port}/"\n'
    return Daemon(directory, crm, top)


async def begin(daemon: Daemon) -> None:
    """A call that is answered, and one that is over."""
    events = [an_event("silent", "newCall", source="pbx"), an_event("over", "newCall")]
    events += [an_event("silent", "answer", source="pbx"), an_event("over", "hangup")]
    await Producer(daemon.door).feed(events)


def of_silent(receiver: Receiver) -> list[dict[str, object]]:
    """What arrived of the call that nobody ended."""
    return [body for body in receiver.bodies() if body["callId"] == "silent"]


async def test_a_silent_call_is_ended(tmp_path: Path) -> None:
    """Its hangup stands in its order, says who made it, and that the call was answered."""
    async with a_receiver() as receiver, a_daemon(tmp_path, receiver).running() as daemon:
        await begin(daemon)
        await receiver.until(lambda r: len(r.arrived) == 5, within_s=10)
        hangup = receiver.bodies()[-1]
        told = {name: hangup[name] for name in ("callId", "event", "cause", "source", "seq")}
        assert told | {"answered": hangup["answered"]} == {
            "callId": "silent",
            "event": "hangup",
            "cause": "unknown",
            "source": "callpost",
            "seq": 3,
            "answered": True,
        }


async def test_a_late_hangup_is_delivered_as_what_it_is(tmp_path: Path) -> None:
    """The switch that comes back tells the real end, and the daemon ends nothing again."""
    async with a_receiver() as receiver, a_daemon(tmp_path, receiver).running() as daemon:
        await begin(daemon)
        await receiver.until(lambda r: len(r.arrived) == 5, within_s=10)
        late = an_event("silent", "hangup", source="pbx", cause="normalClearing")
        await Producer(daemon.door).feed([late])
        await receiver.until(lambda r: len(r.arrived) == 6, within_s=10)
        await Producer(daemon.door).feed([an_event("next", "newCall")])
        await receiver.until(lambda r: len(r.arrived) == 8, within_s=10)
        assert [body.get("cause") for body in of_silent(receiver)[2:]] == [
            "unknown",
            "normalClearing",
        ]


async def test_calls_are_followed_over_a_crash(tmp_path: Path) -> None:
    """What was silent before the daemon died is ended after it is back, once."""
    async with a_receiver() as receiver:
        patient = a_daemon(tmp_path, receiver, '[calls]\nend_after = "1h"\n')
        async with patient.running() as daemon:
            await begin(daemon)
            await receiver.until(lambda r: len(r.arrived) == 4, within_s=10)
            await daemon.end(signal.SIGKILL)
        async with a_daemon(tmp_path, receiver).running() as daemon:
            await daemon.logged("call.ended")
            await Producer(daemon.door).feed([an_event("next", "newCall")])
            await receiver.until(lambda r: r.bodies()[-1]["callId"] == "next", within_s=10)
            await daemon.end(signal.SIGTERM)
        hangups = {body["id"] for body in of_silent(receiver) if body["event"] == "hangup"}
        assert len(hangups) == 1


async def test_with_endless_patience_nothing_is_ended(tmp_path: Path) -> None:
    """`end_after = "0"` leaves calls alone."""
    async with a_receiver() as receiver:
        async with a_daemon(tmp_path, receiver, '[calls]\nend_after = "0"\n').running() as daemon:
            await begin(daemon)
            await receiver.until(lambda r: len(r.arrived) == 4, within_s=10)
            await daemon.end(signal.SIGTERM)
        assert [body["event"] for body in of_silent(receiver)] == ["newCall", "answer"]
