"""Which version of this program runs."""

from __future__ import annotations

from functools import cache


@cache
def program_version() -> str:
    """The version of this program; "0" where it runs without being installed."""
    from importlib import metadata  # noqa: PLC0415  a probe starts a tenth sooner without it

    try:
        return metadata.version("meshscope")
    except metadata.PackageNotFoundError:
        return "0"
