"""The groups of this machine.

Whoever asks may wait: they can come from a directory service.
"""

import grp


def has_group(name: str) -> bool:
    """Whether there is a group of that name."""
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
