"""Variables of a profile in what is sent: ``{{name}}``, and ``{{secret:name}}`` from the key store."""

from __future__ import annotations

import asyncio

from app.cli.errors import SaidNo
from app.cli.targets import Target
from broker.operate import secrets
from broker.operate.calling.filling import filled, texts_of, unfilled
from broker.operate.calling.loose_json import variables_in
from broker.operate.calling.variables import Values
from broker.operate.commands import Command
from broker.operate.profiles import VARIABLE


def expect_variables(target: Target, command: Command) -> None:
    """Whether all variables of a command can be filled in; before anything is connected.

    Of a bare URL there are none: texts with braces in them are sent as they are.

    Raises:
        SaidNo: One has no value; says which.
    """
    if target.profile is not None:
        for why in unfilled(command, _values(target)):
            raise SaidNo(f"{why}. Nothing was sent.")
        return
    bare = [one for text in texts_of(command) for one in variables_in(text) if not one.is_in_text]
    if bare:
        raise SaidNo(
            f"{bare[0].written} is a variable, and variables belong to a profile. Nothing was sent.",
            "Name a saved profile instead of a URL, or give the value itself.",
        )


async def with_variables(target: Target, command: Command) -> Command:
    """The command as it is sent, its variables filled in. The key store may ask first.

    Raises:
        LookupError: A variable has no value; names it.
    """
    if target.profile is None:
        return command
    return await asyncio.to_thread(filled, command, _values(target))


def _values(target: Target) -> Values:
    profile = target.profile
    if profile is None:
        return Values()

    def secret_of(name: str) -> str:
        found = secrets.read_of(profile, f"{VARIABLE}{name}")
        target.learned.append(found)  # it may come back in an answer
        return found

    names = (name.removeprefix(VARIABLE) for name in profile.secret_names if name.startswith(VARIABLE))
    return Values(profile.variables, tuple(names), secret_of)
