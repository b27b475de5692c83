"""The command with all its subcommands: importing one registers it."""

from __future__ import annotations

from app.cli import (  # noqa: F401
    actions,
    audit,
    bench,
    breakers,
    breakers_set,
    call,
    connect,
    demo,
    doctor,
    emit,
    events,
    helper,
    inspect,
    nodes,
    open,  # noqa: A004
    probe,
    profiles,
    record,
    services,
    tail,
)
from app.cli.group import meshscope

__all__ = ["meshscope"]
