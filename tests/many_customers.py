"""The configuration of an operator with many customers, as a program would write it.

One file with what all share, and in `conf.d` one file for each customer: a line in the registry
and three subscriptions, which say nothing but what is this customer's own.
"""

from pathlib import Path
from typing import Final

CUSTOMERS: Final = 400
SHARED: Final = """\
# What the subscriptions of all customers share. Each customer has a file in conf.d.

[tenancy]
customers = "required"

[preset.popup]
events = ["newCall", "answer", "hangup"]
direction = ["in"]
stale = "skip"
timeout_s = 5

[preset.records]
events = ["cdr"]
method = "POSTJSON"
retry = "cdr"
concurrency = 2
"""
CUSTOMER: Final = """\
# Customer {id}

[[customer]]
id = "{id}"
extensions = ["{number:04}*201", "{number:04}*202", "{number:04}*203"]
ivrs = ["{number:04}*900"]

[[subscription]]
name = "{id}-popup"
preset = "popup"
customer = "{id}"
url = "http://{host}/{id}/popup"

[[subscription]]
name = "{id}-records"
preset = "records"
customer = "{id}"
url = "http://{host}/{id}/records"

[[subscription]]
name = "{id}-helpdesk"
preset = "zammad"
customer = "{id}"
url = "http://{host}/{id}/api/v1/cti/secret"
called = ["+4570{number:06}"]
"""


def write_customers(config: Path, *, host: str, count: int = CUSTOMERS) -> None:
    """Add the shared file's tables to `config`, and the customers' files to `conf.d` beside it."""
    with config.open("a") as shared:
        shared.write(SHARED)
    (config.parent / "conf.d").mkdir()
    for number in range(count):
        file_of(config, number).write_text(customer_text(number, host))


def file_of(config: Path, number: int) -> Path:
    """Where a customer's file is."""
    return config.parent / "conf.d" / f"{customer_id(number)}.toml"


def customer_id(number: int) -> str:
    """The customer's id, in the registry, in names and in events."""
    return f"c{number:04}"


def customer_text(number: int, host: str) -> str:
    """One customer's file."""
    return CUSTOMER.format(id=customer_id(number), number=number, host=host)
