"""PortSIP's list of action URLs, read: URLs that are asked when a caller presses digits.

No secret is carried over: a credential is named for it, whether the list shows it or masks it.
"""

from msgspec.structs import replace

from callpost.api.document import Item, decoded, items
from callpost.api.names import Names
from callpost.api.portsip.fields import Draft, Loss, Secret, drafted
from callpost.api.translated import Refused, Translated

_ALL = "the list does not say of which receptionist it is; all are meant"


def read(document: bytes, *, of: str = "") -> tuple[Translated | Refused, ...]:
    """The action URLs of a list answer; `of` is the extension of the receptionist."""
    to_credential = _to_credential(Names())
    missing = _missing(document)
    found: list[Translated | Refused] = []
    for item in items(document, "items"):
        one = _translated(item, of, to_credential) if isinstance(item, Item) else item
        if isinstance(one, Translated) and missing:
            one, missing = replace(one, lost=one.lost + missing), ()
        found.append(one)
    return tuple(found)


def _translated(item: Item, of: str, to_credential: Secret) -> Translated | Refused:
    draft = drafted(item, of, to_credential)
    lost = [] if of else [_ALL]
    lost += (_told(loss, item) for loss in draft.lost)
    lost += item.left_over()
    return item.refused() or Translated(paths=(item.path,), table=draft.table, lost=tuple(lost))


def _to_credential(names: Names) -> Secret:
    """References to credentials, each with a name of its own among `names`."""

    def reference(draft: Draft, key: str, about: str, _: str) -> str:
        name = names.given(f"{str(draft.table['name'])[:40]}-{about}")
        sentence = "is a secret and was not carried over"
        draft.lose(key, sentence, f"put it into the credential {name}")
        return f"credential:{name}"

    return reference


def _told(loss: Loss, item: Item) -> str:
    return f"{item.at(loss.key)}: {loss.sentence}; {loss.instead}"


def _missing(document: bytes) -> tuple[str, ...]:
    """A sentence where the answer has a part of the list only."""
    match decoded(document):
        case {"count": int(count), "items": list(listed)} if count > len(listed):
            return (f"there are {count} action URLs, and these are {len(listed)} of them",)
        case _:
            return ()
