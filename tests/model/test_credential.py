"""References to credentials hold nothing that a path could be made of."""

import pytest

from callpost.model.credential import credential_name


def test_a_text_without_the_prefix_is_no_reference() -> None:
    """It stands for itself."""
    assert credential_name("secret") is None


def test_a_reference_gives_its_name() -> None:
    """The name is what follows the prefix."""
    assert credential_name("credential:crm-key_1.txt") == "crm-key_1.txt"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a b", "\u00e5", "a\n", "x" * 256])
def test_a_name_that_could_be_a_path_is_faulty(name: str) -> None:
    """Only letters, digits and _ . - make a name, and the two special folders are none."""
    assert credential_name(f"credential:{name}") == ""
