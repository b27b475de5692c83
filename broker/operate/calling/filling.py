"""Variables of a command filled in: after it was judged and written down, right before it is sent."""

from __future__ import annotations

from dataclasses import replace

from broker.operate.calling.variables import Values, missing, resolve
from broker.operate.commands import Bench, Broadcast, Call, Command, Emit


def texts_of(command: Command) -> tuple[str, ...]:
    """What a command carries, as it is written."""
    match command:
        case Call():
            return (command.params, command.meta, command.headers)
        case Emit() | Broadcast():
            return (command.data, command.meta, command.headers)
        case Bench():
            return texts_of(command.call)
    return ()


def unfilled(command: Command, values: Values) -> list[str]:
    """Why variables of a command cannot be filled in; empty when all can. Does not ask the key store."""
    return list(dict.fromkeys(why for text in texts_of(command) for why in missing(text, values)))


def filled(command: Command, values: Values) -> Command:
    """The command as it is sent. May ask the key store.

    Raises:
        LookupError: A variable has no value; names it.
    """
    match command:
        case Call():
            texts = [resolve(text, values) for text in texts_of(command)]
            return replace(command, params=texts[0], meta=texts[1], headers=texts[2])
        case Emit() | Broadcast():
            texts = [resolve(text, values) for text in texts_of(command)]
            return replace(command, data=texts[0], meta=texts[1], headers=texts[2])
        case Bench():
            call = filled(command.call, values)
            return replace(command, call=call) if isinstance(call, Call) else command
    return command
