"""Looking at subscriptions: a list of them, one, and how it stands with its figures."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, get_args

from msgspec import Meta, Struct

from callpost.api.own.catalogue import Catalogue
from callpost.api.own.conditions import ETAG, IF_NONE_MATCH, is_known
from callpost.api.own.documents import Document
from callpost.api.own.examples import STATE, SUBSCRIPTION_ANSWER, SUBSCRIPTIONS_ANSWER
from callpost.api.own.pages import Cursor, Customer, Limit, page_of
from callpost.api.own.schema import SUBSCRIPTION, SUBSCRIPTIONS
from callpost.api.ports import Operating
from callpost.model.card import Dialect
from callpost.model.condition import SubscriptionState
from callpost.web.asked import Asked
from callpost.web.fields import Nothing
from callpost.web.operation import Answer, Operation, Shown, operation
from callpost.web.problem import Refusal

Origin = Literal["", "file"] | Dialect
_EVERY_SHOWN: Final = Shown("Subscriptions, by their names", answer=SUBSCRIPTIONS_ANSWER)
_ONE_SHOWN: Final = Shown(
    "One subscription",
    answer=SUBSCRIPTION_ANSWER,
    bare=(304,),
    problems=(404,),
    headers=ETAG,
    conditions=IF_NONE_MATCH,
)
_STATE_SHOWN: Final = Shown(
    "One subscription's state and figures", answer=STATE, problems=(404, 409)
)


class SubscriptionsQuery(Struct, frozen=True):
    """Which subscriptions."""

    customer: Customer = ""
    origin: Annotated[Origin, Meta(description=f"{', '.join(get_args(Dialect))} or file")] = ""
    limit: Limit = 100
    cursor: Cursor = ""


def subscriptions(catalogue: Catalogue, operating: Operating) -> Iterator[Operation]:
    """List them, look at one, and at how it stands."""

    async def one(asked: Asked[Nothing, Nothing]) -> Answer:
        answer = catalogue.answer(await catalogue.one(asked.caller, asked.path["name"]))
        if answer.headers and is_known(asked.headers, answer.headers["ETag"]):
            return Answer(304, None, answer.headers)
        return answer

    async def state(asked: Asked[Nothing, Nothing]) -> SubscriptionState:
        return await operating.subscription(await served(catalogue, asked))

    yield _listing(catalogue)
    yield operation(
        "GET",
        "/v1/subscriptions/{name}",
        one,
        query=Nothing,
        body=Nothing,
        returns=SUBSCRIPTION,
        shown=_ONE_SHOWN,
    )
    yield operation(
        "GET",
        "/v1/subscriptions/{name}/state",
        state,
        query=Nothing,
        body=Nothing,
        returns=SubscriptionState,
        shown=_STATE_SHOWN,
    )


def _listing(catalogue: Catalogue) -> Operation:
    async def every(asked: Asked[SubscriptionsQuery, Nothing]) -> Document:
        query = asked.query
        seen = [
            one
            for one in await catalogue.seen_by(asked.caller)
            if query.customer in {"", one.customer} and query.origin in {"", one.origin}
        ]
        page = page_of(
            seen,
            lambda one: (one.name,),
            listing="subscriptions",
            limit=query.limit,
            cursor=query.cursor,
        )
        documents = [catalogue.document(one) for one in page.items]
        return {"subscriptions": documents, "total": page.total, "next": page.next}

    return operation(
        "GET",
        "/v1/subscriptions",
        every,
        query=SubscriptionsQuery,
        body=Nothing,
        returns=SUBSCRIPTIONS,
        shown=_EVERY_SHOWN,
    )


async def served(catalogue: Catalogue, asked: Asked[Nothing, Nothing]) -> str:
    """The name of a subscription that is served; raises UnknownSubscription, and Refusal."""
    listed = await catalogue.one(asked.caller, asked.path["name"])
    match catalogue.document(listed)["state"]:
        case "disabled":
            raise Refusal(409, "It is not enabled.")
        case "left_out":
            raise Refusal(409, "The configuration forbids it by now; it is not in force.")
    return listed.name
