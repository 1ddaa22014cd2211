"""A producer inside the machine of the tests: sends events until each has its answer.

`produce_in_machine.py PREFIX COUNT` tells the id of each event that was accepted, in a line. What
was sent and not answered is sent again. Only the standard library.
"""

import json
import socket
import sys
from collections.abc import Iterator

SOCKET = "/run/callpost-intake/events.sock"


def accepted(waiting: list[str]) -> Iterator[str]:
    """Send on one connection until all is sent or the connection ends; the ids as accepted."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        with connection.makefile("rb") as answers:
            while waiting:
                one = waiting[-1]
                event = {"event": "newCall", "callId": one, "id": one, "from": "1", "to": "2"}
                connection.sendall(json.dumps(event).encode() + b"\n")
                answer = answers.readline()
                if not answer.endswith(b"\n") or not json.loads(answer)["ok"]:
                    return
                yield waiting.pop()


def stubbornly(waiting: list[str]) -> Iterator[str]:
    """The ids as they are accepted, all of them."""
    while waiting:
        try:
            yield from accepted(waiting)
        except ConnectionError as error:
            # The daemon went away in the middle; systemd keeps the door open.
            sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    for accepted_id in stubbornly(
        [f"{sys.argv[1]}-{number}" for number in range(int(sys.argv[2]))]
    ):
        sys.stdout.write(accepted_id + "\n")
        sys.stdout.flush()
