"""The plain dispatcher: what one writes first, with httpx's client on trio, and no disk.

Lines of a Unix socket go through a bounded channel to sixteen tasks; each posts one at a time
over one `httpx.AsyncClient` whose pool has a connection for each of them.
"""

import sys

import httpx
import trio

_CONCURRENCY = 16
_WAITING_MAX = 1_000
_READ_BYTES = 1 << 18


async def main(door: str, url: str) -> None:
    """Dispatch until killed; in the nursery live the posting tasks and one per producer."""
    outbox, inbox = trio.open_memory_channel[bytes](_WAITING_MAX)
    limits = httpx.Limits(
        max_connections=_CONCURRENCY, max_keepalive_connections=_CONCURRENCY, keepalive_expiry=600
    )
    listener = trio.socket.socket(trio.socket.AF_UNIX)
    await listener.bind(door)
    listener.listen()
    # Without what a machine's environment may add: proxies, .netrc.
    async with (
        httpx.AsyncClient(limits=limits, timeout=15, trust_env=False) as client,
        trio.open_nursery() as nursery,
    ):
        for _ in range(_CONCURRENCY):
            nursery.start_soon(post, client, url, inbox)
        while True:
            connection, _ = await listener.accept()
            nursery.start_soon(take_in, trio.SocketStream(connection), outbox)


async def take_in(producer: trio.SocketStream, outbox: trio.MemorySendChannel[bytes]) -> None:
    """Cut one producer's bytes into lines."""
    rest = b""
    async with producer:
        while data := await producer.receive_some(_READ_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                await outbox.send(line)


async def post(
    client: httpx.AsyncClient, url: str, inbox: trio.MemoryReceiveChannel[bytes]
) -> None:
    """Deliver what comes, one event at a time."""
    headers = {"content-type": "application/json"}
    async for line in inbox:
        answer = await client.post(url, content=line, headers=headers)
        answer.raise_for_status()


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2])
