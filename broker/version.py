"""Which version of this program runs."""

from __future__ import annotations

from importlib import metadata


def program_version() -> str:
    """The version of this program; "0" where it runs without being installed."""
    try:
        return metadata.version("meshscope")
    except metadata.PackageNotFoundError:
        return "0"
