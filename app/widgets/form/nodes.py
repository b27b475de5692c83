"""Which node shows which kind of field."""

from __future__ import annotations

from app.widgets.form.chips import ChipsNode
from app.widgets.form.group import ObjectNode
from app.widgets.form.leaf import LeafNode
from app.widgets.form.lists import ListNode, RecordNode
from app.widgets.form.node import BUILDERS, build
from app.widgets.form.union_node import UnionNode

__all__ = ["build"]

BUILDERS.update(
    {
        "text": LeafNode,
        "number": LeafNode,
        "boolean": LeafNode,
        "choice": LeafNode,
        "date": LeafNode,
        "any": LeafNode,
        "forbidden": LeafNode,
        "never": LeafNode,
        "choices": ChipsNode,
        "object": ObjectNode,
        "array": ListNode,
        "tuple": ListNode,
        "record": RecordNode,
        "union": UnionNode,
    }
)
