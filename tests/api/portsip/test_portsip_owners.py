"""Whose a virtual receptionist is: by the registry, else by the token; nobody learns more."""

import pytest

from api.portsip.ivrs import ALL, ANOTHERS, ORDERS, REGISTRY, a_house, asked, made, no, table_of


@pytest.mark.parametrize("place", [ANOTHERS, "/api/ivrs/8001/action_urls"])
@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", ""), ("POST", "/destroy")])
async def test_an_action_url_of_another_receptionist_is_not_found(
    method: str, end: str, place: str
) -> None:
    """Not under the path of one's own either, and it stays."""
    house = a_house()
    identity = (await made(house)).rpartition("/")[2]
    who = "other" if place == ANOTHERS else "manager"
    answer = await asked(house, method, f"{place}/{identity}{end}", who=who)
    assert (no(answer), len(house.cards("portsip"))) == ((404, "NOT_FOUND"), 1)


@pytest.mark.parametrize("ivr", ["9000", "7777", "mask:*", "%0a", "x" * 256])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nobody_learns_which_receptionists_there_are(method: str, ivr: str) -> None:
    """Another customer's is told in the very words of one that nobody has."""
    answer = await asked(a_house(), method, f"/api/ivrs/{ivr}/action_urls", ORDERS)
    assert (answer.status_code, answer.json()) == (
        404,
        {"errors": [{"code": "NOT_FOUND", "message": "There is no such virtual receptionist."}]},
    )


async def test_somebody_elses_action_url_is_told_as_one_that_nobody_has() -> None:
    """Byte for byte."""
    house = a_house()
    theirs = (await made(house, at=ANOTHERS, who="other")).rpartition("/")[2]
    answers = [await asked(house, "GET", f"{ALL}/{one}") for one in (theirs, "nothing")]
    assert answers[0].content == answers[1].content


async def test_without_a_registry_any_extension_may_be_a_receptionist() -> None:
    """Of the customer whose token it is."""
    house = a_house("")
    await made(house, at="/api/ivrs/0003*210/action_urls", who="other")
    [subscription] = house.registered.config.subscriptions
    assert (subscription.filter.customer, table_of(house)["extension"]) == ("bravo", ["0003*210"])


async def test_two_customers_without_a_registry_do_not_meet() -> None:
    """One extension of two customers are two receptionists."""
    house = a_house("")
    path = await made(house, who="other")
    listed = await asked(house, "GET", ALL)
    answer = await asked(house, "GET", path)
    assert (listed.json(), no(answer)) == ({"items": []}, (404, "NOT_FOUND"))


async def test_a_mask_is_no_receptionist() -> None:
    """It would be all of them."""
    answer = await asked(a_house(""), "POST", "/api/ivrs/mask:*/action_urls", ORDERS, who="admin")
    assert no(answer) == (404, "NOT_FOUND")


async def test_a_customer_without_registered_ones_may_use_any_beside_those_who_have() -> None:
    """That another customer has registered the same one must not show."""
    house = a_house(REGISTRY.replace('ivrs = ["9000"]', ""))
    await made(house, who="other")
    [subscription] = house.registered.config.subscriptions
    assert subscription.filter.customer == "bravo"


async def test_the_registry_says_whose_a_receptionist_is() -> None:
    """For who acts for several customers."""
    house = a_house()
    await made(house, at=ANOTHERS, who="reseller")
    [subscription] = house.registered.config.subscriptions
    assert subscription.filter.customer == "bravo"


async def test_who_acts_for_several_names_the_customer() -> None:
    """As the user name, where the registry does not know the receptionist."""
    house = a_house("")
    answers = [
        await asked(house, "POST", ALL, ORDERS, who="reseller", username=username)
        for username in (None, "bravo")
    ]
    assert [answer.status_code for answer in answers] == [400, 201]
    assert no(answers[0]) == (400, "BAD_REQUEST")


async def test_an_admin_without_registry_makes_what_nobody_owns() -> None:
    """Such as the operator of a system with one customer only."""
    house = a_house("")
    await made(house, who="admin")
    assert house.cards("portsip")[0].customer == ""


async def test_a_receptionist_that_has_left_the_registry_is_not_found() -> None:
    """Nobody can change what is made for it, and it does not show."""
    house = a_house()
    path = await made(house)
    house.read_again(REGISTRY.replace('"8000", ', ""))
    assert no(await asked(house, "GET", path)) == (404, "NOT_FOUND")
