"""Options that several commands share."""

import os
from math import isnan
from pathlib import Path

import asyncclick as click


def default_config() -> Path:
    """Where the configuration is, unless the command line says otherwise."""
    if named := os.environ.get("CALLPOST_CONFIG"):
        return Path(named)
    # Set by systemd; of several directories, separated by colons, the first is ours.
    directory = os.environ.get("CONFIGURATION_DIRECTORY", "").partition(":")[0]
    return Path(directory or "/etc/callpost") / "callpost.toml"


class NumberRange(click.FloatRange):
    """A range of numbers, to which "nan" does not belong: it is neither below nor above."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """See click.ParamType; `value` may also be its text."""
        number: float = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


config_option = click.option(
    "--config",
    type=click.Path(readable=False, path_type=Path),
    default=default_config,
    metavar="PATH",
    show_default="$CALLPOST_CONFIG, else $CONFIGURATION_DIRECTORY/callpost.toml, "
    "else /etc/callpost/callpost.toml",
    help="The configuration file; conf.d/*.toml beside it belongs to it.",
)

control_option = click.option(
    "--control",
    type=click.Path(readable=False, path_type=Path),
    metavar="PATH",
    show_default="as configured",
    help="The daemon's control socket; with it no configuration is read.",
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on standard output."
)
