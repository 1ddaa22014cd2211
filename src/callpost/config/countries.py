"""The country whose numbers a producer may write without saying so."""

from callpost.config.faults import Spot
from callpost.config.rules import wrong_type
from callpost.model.numbers import is_country


def country(value: object, spot: Spot) -> object:
    """Two capital letters of ISO 3166-1, or "" for none."""
    if not isinstance(value, str):
        return wrong_type('a country such as "DK"', value, spot)
    if value and not is_country(value):
        return spot.report("country", 'expected two capital letters of ISO 3166-1, such as "DK"')
    return value
