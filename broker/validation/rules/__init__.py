"""The kinds of rules: what makes the check of each."""

from __future__ import annotations

from typing import Final

from broker.validation.rule import RuleMaker
from broker.validation.rules.arrays import make_array, make_tuple
from broker.validation.rules.dates import make_date
from broker.validation.rules.formats import make_currency, make_email, make_luhn, make_mac, make_url, make_uuid
from broker.validation.rules.kinds import (
    make_any,
    make_boolean,
    make_class,
    make_custom_rule,
    make_function,
    make_object_id,
)
from broker.validation.rules.multi import make_multi
from broker.validation.rules.numbers import make_number
from broker.validation.rules.objects import make_object
from broker.validation.rules.records import make_record
from broker.validation.rules.strings import make_string
from broker.validation.rules.values import make_enum, make_equal, make_forbidden

RULES: Final[dict[str, RuleMaker]] = {
    "any": make_any,
    "array": make_array,
    "boolean": make_boolean,
    "class": make_class,
    "custom": make_custom_rule,
    "currency": make_currency,
    "date": make_date,
    "email": make_email,
    "enum": make_enum,
    "equal": make_equal,
    "forbidden": make_forbidden,
    "function": make_function,
    "multi": make_multi,
    "number": make_number,
    "object": make_object,
    "objectID": make_object_id,
    "record": make_record,
    "string": make_string,
    "tuple": make_tuple,
    "url": make_url,
    "uuid": make_uuid,
    "mac": make_mac,
    "luhn": make_luhn,
}
"""By type."""
