"""What a validator is told besides schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ValidatorOptions:
    """The npm package's options.

    Attributes:
        messages: Instead of the usual ones, by type of error.
        defaults: Options that rules have unless they say otherwise, by type: ``{"object": {"strict": "remove"}}``.
        aliases: Names for rules in long form.
        custom_functions: Functions that ``custom`` may name.
        halt_on_first_error: Whether objects are left at the first property that is wrong.
        consider_null_as_a_value: Whether null is allowed unless a rule says ``nullable: false``.
        use_new_custom_checker_function: Whether custom functions give the value and add errors (what Moleculer 0.15
            wants); if not, they give a list of errors (what 0.14 wants unless told otherwise).
        param_name: Under which key actions and events have their schemas.
    """

    messages: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    aliases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    custom_functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    halt_on_first_error: bool = False
    consider_null_as_a_value: bool = False
    use_new_custom_checker_function: bool = True
    param_name: str = "params"
