"""Which rows of calls belong to a subject."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from broker.mesh.blocks import Block
from broker.mesh.boxes import NODE_PREFIX, ON, OUTSIDE_PREFIX, group_member
from broker.mesh.counting import look_up
from broker.mesh.subject import Subject
from broker.mesh.timeline import Snapshot
from broker.observe.journal import NO_NAME, NameKind

Mask = NDArray[np.bool_]


def subject_mask(
    snapshot: Snapshot, block: Block, subject: Subject | None, side: Literal["target", "either"] = "target"
) -> Mask | None:
    """Which rows of a block of calls belong to a subject; None for all.

    Args:
        snapshot: Where the block is of.
        block: Rows of calls.
        subject: Whose calls; None for everybody's. Of a service, the calls to it (on one node, if its
            other says so); of an edge, those from the one to the other; kinds that have no calls have no rows.
        side: Whether a node, service or group has the calls that it received, or those that it sent too.
    """
    if subject is None:
        return None
    if subject.kind == "call":
        mask = np.zeros(block.count, np.bool_)
        if subject.address[0] == block.id and subject.address[1] < block.count:
            mask[subject.address[1]] = True
        return mask
    if subject.kind == "action":
        return _action(snapshot, block, subject.namespace, subject.name)
    if subject.kind == "endpoint":
        return _action(snapshot, block, subject.namespace, subject.name) & _node(
            snapshot, block, "target", subject.namespace, subject.other
        )
    if subject.kind == "edge":
        return _edge(snapshot, block, subject)
    if subject.kind in {"node", "service", "group"}:
        name = f"{NODE_PREFIX}{subject.name}" if subject.kind == "node" else subject.name
        if subject.kind == "service" and subject.other:
            name = f"{subject.name}{ON}{subject.other}"
        mask = _side(snapshot, block, "target", subject.namespace, name)
        return mask | _side(snapshot, block, "source", subject.namespace, name) if side == "either" else mask
    return np.zeros(block.count, np.bool_)


def _none(block: Block) -> Mask:
    return np.zeros(block.count, np.bool_)


def _action(snapshot: Snapshot, block: Block, namespace: str, name: str) -> Mask:
    number = snapshot.names.find(NameKind.ACTION, namespace, name)
    return _none(block) if number is None else np.asarray(block.column("action") == number)


def _node(snapshot: Snapshot, block: Block, column: str, namespace: str, node_id: str) -> Mask:
    number = snapshot.names.find(NameKind.NODE, namespace, node_id) if node_id else NO_NAME
    return _none(block) if number is None else np.asarray(block.column(column) == number)


def _edge(snapshot: Snapshot, block: Block, subject: Subject) -> Mask:
    mask = _side(snapshot, block, "source", subject.namespace, subject.name)
    mask &= _side(snapshot, block, "target", subject.namespace, subject.other)
    if subject.name.startswith(NODE_PREFIX) and not subject.other.startswith(NODE_PREFIX) and ON not in subject.other:
        mask &= block.column("caller") == NO_NAME  # among services, a node calls only from outside them
    return mask


def _side(snapshot: Snapshot, block: Block, side: Literal["source", "target"], namespace: str, name: str) -> Mask:
    """Rows with this at one end: a service, ``service @ node``, ``node:ID``, ``outside:ID``, ``version:v2``."""
    if name.startswith(OUTSIDE_PREFIX):
        mask = _node(snapshot, block, side, namespace, name.removeprefix(OUTSIDE_PREFIX))
        return mask & (block.column("caller") == NO_NAME) if side == "source" else mask
    if name.startswith(NODE_PREFIX):
        return _node(snapshot, block, side, namespace, name.removeprefix(NODE_PREFIX))
    if ON in name:
        service, _, node_id = name.rpartition(ON)
        on_node = _node(snapshot, block, side, namespace, node_id)
        return on_node & _side(snapshot, block, side, namespace, service)
    directory = snapshot.directory
    member = group_member(directory, namespace, name)
    if side == "target":
        return look_up(member[directory.of_action], block.column("action"))
    return look_up(member[directory.of_caller], block.column("caller"))
