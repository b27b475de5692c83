"""Moleculer's errors as exceptions: raised by services, carried over the wire, raised again at the caller."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any, Final


class MoleculerError(Exception):
    """An error with Moleculer's fields.

    Attributes:
        message: For people.
        code: Like an HTTP status; None for errors that are no Moleculer errors at their origin.
        type: For machines, such as ``CONFLICT``.
        data: Whatever belongs to it.
        retryable: Whether another attempt may help.
        node_id: Where it arose, when that was another node.
        stack: The stack as its origin wrote it.
        name: Its class name at its origin.
    """

    default_code: int | None = 500
    default_type: str | None = None
    retryable: bool = False

    def __init__(
        self,
        message: str = "",
        code: int | None = None,
        type: str | None = None,  # noqa: A002 - its name on the wire
        data: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code: Any = self.default_code if code is None else code
        self.type: Any = self.default_type if type is None else type
        self.data = data
        self.node_id: str | None = None
        self.stack: str | None = None
        self.name = self.__class__.__name__


class RemoteError(MoleculerError):
    """An error of a class that we do not know: ``name`` is what its origin called it."""

    default_code = None


class MoleculerRetryableError(MoleculerError):
    """Another attempt may help."""

    retryable = True


class MoleculerServerError(MoleculerRetryableError):
    """The server failed."""


class MoleculerClientError(MoleculerError):
    """The caller asked for something wrong."""

    default_code = 400


class ValidationError(MoleculerClientError):
    """Parameters that do not fit; ``data`` lists what is wrong with which field."""

    default_code = 422
    default_type = "VALIDATION_ERROR"


class _ActionError(MoleculerRetryableError):
    """An error whose message is made from ``{"action", "nodeID"}``."""

    text = "{action} on {node}"
    text_without_node = "{action}"

    def __init__(self, data: Mapping[str, Any]) -> None:
        node_id = data.get("nodeID")
        text = self.text if node_id is not None else self.text_without_node
        subject = data.get("action", data.get("event", data.get("service")))
        super().__init__(text.format(action=subject, node=node_id), data=dict(data))


class ServiceNotFoundError(_ActionError):
    """No node has such an action."""

    default_code = 404
    default_type = "SERVICE_NOT_FOUND"
    text = "Service '{action}' is not found on '{node}' node."
    text_without_node = "Service '{action}' is not found."


class ServiceNotAvailableError(_ActionError):
    """The action is known, but nobody can serve it now."""

    default_code = 404
    default_type = "SERVICE_NOT_AVAILABLE"
    text = "Service '{action}' is not available on '{node}' node."
    text_without_node = "Service '{action}' is not available."


class RequestTimeoutError(_ActionError):
    """No answer within the timeout."""

    default_code = 504
    default_type = "REQUEST_TIMEOUT"
    text = "Request is timed out when call '{action}' action on '{node}' node."


class RequestSkippedError(_ActionError):
    """Not called: the caller's own time was over."""

    default_code = 514
    default_type = "REQUEST_SKIPPED"
    retryable = False
    text = "Calling '{action}' is skipped because timeout reached on '{node}' node."


class RequestRejectedError(_ActionError):
    """The node that should have answered is gone."""

    default_code = 503
    default_type = "REQUEST_REJECTED"
    text = "Request is rejected when call '{action}' action on '{node}' node."


class QueueIsFullError(_ActionError):
    """Too many requests are waiting."""

    default_code = 429
    default_type = "QUEUE_FULL"
    text = "Queue is full. Request '{action}' action on '{node}' node is rejected."


class MaxCallLevelError(MoleculerError):
    """Calls are nested too deep."""

    default_type = "MAX_CALL_LEVEL"

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(
            f"Request level is reached the limit ({data.get('level')}) on '{data.get('nodeID')}' node.",
            data=dict(data),
        )


class ServiceSchemaError(MoleculerError):
    """A service is written wrongly."""

    default_type = "SERVICE_SCHEMA_ERROR"


_KNOWN: Final[dict[str, type[MoleculerError]]] = {
    known.__name__: known
    for known in (
        MoleculerError,
        MoleculerRetryableError,
        MoleculerServerError,
        MoleculerClientError,
        ValidationError,
        ServiceNotFoundError,
        ServiceNotAvailableError,
        RequestTimeoutError,
        RequestSkippedError,
        RequestRejectedError,
        QueueIsFullError,
        MaxCallLevelError,
        ServiceSchemaError,
    )
}


def to_wire(error: BaseException, node_id: str) -> dict[str, Any]:
    """The error as RES carries it.

    Args:
        error: Any exception; of a plain one only name, message and stack are known.
        node_id: The node that answers; the error keeps its own origin if it came from further away.
    """
    stack = getattr(error, "stack", None) or "".join(traceback.format_exception(error))
    if not isinstance(error, MoleculerError):
        return {"name": type(error).__name__, "message": str(error), "nodeID": node_id, "stack": stack}
    wire: dict[str, Any] = {"name": error.name, "message": error.message, "nodeID": error.node_id or node_id}
    if error.code is not None:
        wire["code"] = error.code
    if error.type is not None:
        wire["type"] = error.type
    wire["retryable"] = error.retryable
    wire["stack"] = stack
    if error.data is not None:
        wire["data"] = error.data
    return wire


def from_wire(wire: object, sender: str) -> MoleculerError:
    """The exception for an error that RES carried. Never raises: the wire is not trusted.

    Args:
        wire: What stood in ``error``; anything.
        sender: Who answered; the origin when the error names none.
    """
    if not isinstance(wire, Mapping):
        wire = {"name": "Error", "message": str(wire)}
    name = str(wire.get("name") or "Error")
    cls = _KNOWN.get(name, RemoteError)
    error = cls.__new__(cls)
    message = wire.get("message")
    MoleculerError.__init__(error, "" if message is None else str(message), data=wire.get("data"))
    error.name = name
    error.code = wire.get("code")
    error.type = wire.get("type")
    error.retryable = bool(wire.get("retryable", cls.retryable))
    error.node_id = str(wire.get("nodeID") or sender)
    stack = wire.get("stack")
    error.stack = stack if isinstance(stack, str) else None
    return error
