"""Ctrl-C is how one leaves a command that goes on for ever, and no fault."""

import signal
from collections.abc import Awaitable, Callable

import asyncclick as click
import trio


async def until_interrupted(work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` until it ends, or SIGINT or SIGTERM comes; its faults come out as they are.

    In the nursery lives who hears the signals.
    """
    faults: list[click.ClickException | click.exceptions.Exit | OSError] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(_end_on_signal, nursery.cancel_scope)
        try:
            await work()
        except (click.ClickException, click.exceptions.Exit, OSError) as fault:
            faults.append(fault)
        nursery.cancel_scope.cancel()
    if faults:
        raise faults[0]


async def _end_on_signal(
    everything: trio.CancelScope, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            everything.cancel()
