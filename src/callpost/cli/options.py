"""Options that several commands share."""

import os
from pathlib import Path

import asyncclick as click


def default_config() -> Path:
    """Where the configuration is, unless the command line says otherwise."""
    if named := os.environ.get("CALLPOST_CONFIG"):
        return Path(named)
    # Set by systemd; of several directories, separated by colons, the first is ours.
    directory = os.environ.get("CONFIGURATION_DIRECTORY", "").partition(":")[0]
    return Path(directory or "/etc/callpost") / "callpost.toml"


config_option = click.option(
    "--config",
    type=click.Path(readable=False, path_type=Path),
    default=default_config,
    metavar="PATH",
    show_default="$CALLPOST_CONFIG, else $CONFIGURATION_DIRECTORY/callpost.toml, "
    "else /etc/callpost/callpost.toml",
    help="The configuration file; conf.d/*.toml beside it belongs to it.",
)
