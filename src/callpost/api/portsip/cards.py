"""An action URL that was made over the API: what a client sends, what is kept, what is answered.

What is sent may be partial; what is kept is whole, secrets included, and has been found good.
No secret is ever answered: where it is shown as `********`, that keeps it when it comes back.
"""

from collections.abc import Mapping
from typing import Final

from callpost.api.document import Item
from callpost.api.portsip.fields import CREDENTIAL, Draft, drafted
from callpost.api.portsip.header_lines import mapped_lines, read_lines
from callpost.model.card import Card
from callpost.model.credential import credential_name
from callpost.model.disclosure import MASK
from callpost.model.fault import Fault

# What an action URL is where its client does not say; the time-outs and the auth as documented.
_BLANK: Final[Mapping[str, object]] = {
    "name": "",
    "enabled": True,
    "type": "DTMF",
    "caller_mask": "",
    "dtmf_mask": "",
    "method": "GET",
    "headers": "",
    "connection_timeout": 2,
    "request_timeout": 2,
    "auth": "DISABLE",
    "username": "",
    "password": "",
    "token": "",
    "url": "",
}
_TIMEOUTS: Final = ("connection_timeout", "request_timeout")
_PROVING: Final = ("username", "password", "token")
_SECRETS: Final = ("password", "token")
_NOT_STORED: Final = f"{MASK} stands for what is stored, and nothing is stored there"


class Unusable(Exception):
    """What a client wants cannot be had; the path of each fault is a field, `url` first."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.sentence}" for fault in faults))
        self.faults = faults


def said_by(sent: Mapping[str, object], before: Mapping[str, object]) -> dict[str, object]:
    """What is to be kept: what was sent, and what it leaves out as it was `before`.

    null is as good as absent, and what is no field, such as `id`, is passed over. Raises
    `Unusable` with everything that is wrong.
    """
    fresh = {key: sent[key] for key in _BLANK if sent.get(key) is not None}
    said = _unmasked({**_BLANK, **before, **fresh}, before)
    draft = draft_of(said, "")
    if faults := dict.fromkeys((*_faults(draft), *_own_faults(said))):
        raise Unusable(tuple(faults))
    # A number may have come in a text.
    return said | {key: int(str(said[key])) for key in _TIMEOUTS}


def draft_of(said: Mapping[str, object], ivr: str) -> Draft:
    """What the fields stand for, with the secrets that they hold."""
    draft = drafted(Item("$", said), ivr, lambda _, __, ___, secret: secret)
    # Names of subscriptions that were made over the API are given; only a note can show this one.
    draft.table["note"] = str(said["name"])
    return draft


def answer_of(card: Card) -> dict[str, object]:
    """The action URL as it is answered."""
    masked: dict[str, object] = {key: MASK for key in _SECRETS if card.said[key]}
    return {
        "id": card.id,
        **card.said,
        **masked,
        "headers": mapped_lines(str(card.said["headers"]), _shown),
    }


def is_usable(draft: Draft) -> bool:
    """Whether all of it can be had."""
    return not _faults(draft)


def _shown(name: str, value: str) -> str:
    """Of a header; only what kind of content is sent is surely no secret."""
    return value if not value or name.lower() == "content-type" else MASK


def _unmasked(said: dict[str, object], before: Mapping[str, object]) -> dict[str, object]:
    """The fields with what is stored where only its mask came back."""
    for key in _PROVING:
        if said[key] == MASK:
            said[key] = before.get(key) or MASK
    if isinstance(text := said["headers"], str):
        lines = read_lines(str(before.get("headers", "")))
        stored = {name.lower(): value for name, value in lines.headers.items()}
        said["headers"] = mapped_lines(
            text,
            lambda name, value: stored.get(name.lower(), value) if value == MASK else value,
        )
    return said


def _faults(draft: Draft) -> tuple[Fault, ...]:
    """What is wrong with the fields, and what they would ask for in vain."""
    wrong = (
        Fault("", fault.path.removeprefix("$."), fault.code, fault.sentence)
        for fault in draft.item.faults
    )
    vain = (Fault("", loss.key, loss.key, loss.sentence) for loss in draft.lost if loss.matters)
    return *wrong, *vain


def _own_faults(said: Mapping[str, object]) -> tuple[Fault, ...]:
    """What only matters here: a mask of nothing, and a secret of this machine, used or not."""
    faults: list[Fault] = []
    for key in _PROVING:
        if said[key] == MASK:
            faults.append(Fault("", key, key, _NOT_STORED))
        elif credential_name(str(said[key])) is not None:
            faults.append(Fault("", key, key, CREDENTIAL))
    lines = read_lines(str(said["headers"]))
    faults += (
        Fault("", "headers", "headers", f"{name}: {_NOT_STORED}")
        for name, value in lines.headers.items()
        if value == MASK
    )
    return tuple(faults)
