"""Names of channels (protocol, section 2.1): ``MOL[-namespace].COMMAND[.rest]``.

Namespaces, node ids and action names may hold dots: the command token is
looked for, nothing is split.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

COMMANDS: Final = (
    "EVENTB", "EVENT", "REQB", "REQ", "RES", "DISCOVER", "INFO", "DISCONNECT", "HEARTBEAT", "PING", "PONG",
)  # fmt: skip

_NAME: Final = re.compile(rf"MOL(?:-(.+?))?\.({'|'.join(COMMANDS)})(?:\.(.+))?", re.DOTALL)


class Channel(NamedTuple):
    """A channel, taken apart.

    Attributes:
        namespace: Empty for the empty one.
        command: One of COMMANDS.
        rest: The node it is for; of a balanced request the action, of a balanced
            event ``group.event``; empty for a broadcast.
    """

    namespace: str
    command: str
    rest: str


def parse_channel(name: bytes) -> Channel | None:
    """Take a name apart; None if it is not Moleculer's. Bytes that are no UTF-8 come as surrogates."""
    found = _NAME.fullmatch(name.decode("utf-8", "surrogateescape"))
    if found is None:
        return None
    namespace, command, rest = found.groups()
    return Channel(namespace or "", command, rest or "")


def channel_name(namespace: str, command: str, rest: str = "") -> bytes:
    """Put a name together, as `parse_channel` takes it apart."""
    prefix = f"MOL-{namespace}" if namespace else "MOL"
    name = f"{prefix}.{command}.{rest}" if rest else f"{prefix}.{command}"
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a cut emoji: Node writes U+FFFD for it
        return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
