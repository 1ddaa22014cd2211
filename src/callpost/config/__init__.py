"""TOML text to a frozen `Config`, or every fault at once; every key, default and range.

Pure: callers hand in texts and look up credentials; no file is opened here.
"""

from callpost.config.configuration import Config, parse
from callpost.config.faults import Fault, FaultyConfig, Machine, Source
from callpost.config.state import state_directories

__all__ = ["Config", "Fault", "FaultyConfig", "Machine", "Source", "parse", "state_directories"]
