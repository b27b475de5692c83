"""What INFO does not carry of a rule: it is left out of what is checked here, and said to be.

A node makes plain data of its schemas before it tells them: functions are gone, a compiled pattern is ``{}``, what was
one object at two places is there once only, and a list has null where something was lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from broker.validation import SchemaError, Validator
from broker.validation.messages import MESSAGES
from broker.validation.rules import RULES

Rule = dict[str, Any]
Unsure = list[str]

LOST: Final[Rule] = {"type": "any", "optional": True, "nullable": True}
"""In the place of a rule that was lost: anything, or nothing."""
IS_LOST: Final = "$lost"
"""An option that says so."""
LOST_RULE: Final = "its rule is not in INFO"
_STANDS_FOR_MORE: Final = re.compile(r"\[\w+ \d+\]")
_KEPT: Final = ("type", "optional", "nullable", "default", "label", "messages", "description", "help", "comment")


def is_lost(schema: object) -> bool:
    """Whether something stands where a rule was: null, or the word for what was too big to be told."""
    return schema is None or (isinstance(schema, str) and _STANDS_FOR_MORE.fullmatch(schema) is not None)


def repaired(rule: Rule) -> tuple[Rule, Unsure]:
    """A rule in long form as far as it can be checked here, without a look at what is within it.

    Returns:
        The rule, and what of it only the service can check, in words.
    """
    unsure: Unsure = []
    rule = dict(rule)
    if rule.pop(IS_LOST, False):
        unsure.append(LOST_RULE)
    if rule.pop("custom", None) is not None:
        unsure.append("a check of the service's own")
    if not isinstance(rule.get("messages", {}), dict):
        del rule["messages"]
    for kind in rule.get("messages", ()):
        if kind not in MESSAGES:  # said by a function, which is not in INFO
            unsure.append(f"a check of the service's own, '{kind}'")
    name = rule["type"]
    if name not in RULES:
        return _anything(rule), [*unsure, f"the type '{name}' is the service's own"]
    repair = _REPAIRS.get(name)
    return (rule, unsure) if repair is None else repair(rule, unsure)


def broken(rule: Rule) -> str:
    """What is wrong with the options of a rule that holds no others; empty when all is right."""
    try:
        Validator().compile({"$$root": True, **rule})
    except SchemaError as error:
        return error.message
    return ""


def without_options(rule: Rule) -> Rule:
    """The rule as one that takes anything."""
    return _anything(rule)


def _anything(rule: Rule) -> Rule:
    return {key: value for key, value in rule.items() if key in _KEPT} | {"type": "any"}


def _string(rule: Rule, unsure: Unsure) -> tuple[Rule, Unsure]:
    if rule.get("pattern") is not None and not isinstance(rule["pattern"], str):
        del rule["pattern"]
        unsure.append("a pattern that INFO does not carry")
    elif rule.get("pattern") is not None and broken({"type": "string", "pattern": rule["pattern"]}):
        del rule["pattern"]
        unsure.append("a pattern that only JavaScript can read")
    return _without_lost_list(rule, "enum", unsure)


def _array(rule: Rule, unsure: Unsure) -> tuple[Rule, Unsure]:
    if is_lost(rule.get("items", "")):
        del rule["items"]
        unsure.append("the rule of its items is not in INFO")
    return _without_lost_list(rule, "enum", unsure)


def _without_lost_list(rule: Rule, option: str, unsure: Unsure) -> tuple[Rule, Unsure]:
    if option in rule and not isinstance(rule[option], list):
        del rule[option]
        unsure.append("the list of its values is not in INFO")
    return rule, unsure


def _enum(rule: Rule, unsure: Unsure) -> tuple[Rule, Unsure]:
    if isinstance(rule.get("values"), list):
        return rule, unsure
    return _anything(rule), [*unsure, "the list of its values is not in INFO"]


def _equal(rule: Rule, unsure: Unsure) -> tuple[Rule, Unsure]:
    if rule.get("field") or "value" in rule:
        return rule, unsure
    return _anything(rule), [*unsure, "the value that it must equal is not in INFO"]


def _currency(rule: Rule, unsure: Unsure) -> tuple[Rule, Unsure]:
    if not rule.get("customRegex") and "customRegex" not in rule:
        return rule, unsure
    if rule["customRegex"] is None or (isinstance(rule["customRegex"], str) and not broken(rule)):
        return rule, unsure
    return {**_anything(rule), "type": "string"}, [*unsure, "a pattern that INFO does not carry"]


def _only_there(what: str) -> Callable[[Rule, Unsure], tuple[Rule, Unsure]]:
    return lambda rule, unsure: (_anything(rule), [*unsure, what])


def _tuple(rule: Rule, unsure: Unsure) -> tuple[Rule, Unsure]:
    if rule.get("items") is None or isinstance(rule["items"], list):
        return rule, unsure
    del rule["items"]
    return rule, [*unsure, "the rules of its places are not in INFO"]


def _multi(rule: Rule, unsure: Unsure) -> tuple[Rule, Unsure]:
    if isinstance(rule.get("rules"), list):
        return rule, unsure
    return _anything(rule), [*unsure, "its alternatives are not in INFO"]


_REPAIRS: Final[dict[str, Callable[[Rule, Unsure], tuple[Rule, Unsure]]]] = {
    "string": _string,
    "array": _array,
    "enum": _enum,
    "equal": _equal,
    "currency": _currency,
    "class": _only_there("an instance of a class of the service's"),
    "custom": _only_there("a check of the service's own"),
    "objectID": _only_there("an id as the service's database has it"),
    "tuple": _tuple,
    "multi": _multi,
}
