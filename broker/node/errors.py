"""Moleculer's errors as exceptions: raised by services, carried over the wire, raised again at the caller."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any, Final

from broker.protocol.errors import ERROR_CLASSES, read_remote_error


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

    def __init_subclass__(cls) -> None:
        """Moleculer's own classes have Moleculer's own code, type and word on retrying."""
        known = ERROR_CLASSES.get(cls.__name__)
        if known is not None:
            cls.default_code, cls.default_type, cls.retryable = known.code, known.type, known.is_retryable

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


class MoleculerServerError(MoleculerRetryableError):
    """The server failed."""


class MoleculerClientError(MoleculerError):
    """The caller asked for something wrong."""


class ValidationError(MoleculerClientError):
    """Parameters that do not fit; ``data`` lists what is wrong with which field."""


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

    text = "Service '{action}' is not found on '{node}' node."
    text_without_node = "Service '{action}' is not found."

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        if "service" in data:
            version = f"{data['version']}." if data.get("version") else ""
            self.message = f"Service '{version}{data['service']}' not found."
            self.args = (self.message,)


class ServiceNotAvailableError(_ActionError):
    """The action is known, but nobody can serve it now."""

    text = "Service '{action}' is not available on '{node}' node."
    text_without_node = "Service '{action}' is not available."


class RequestTimeoutError(_ActionError):
    """No answer within the timeout."""

    text = "Request is timed out when call '{action}' action on '{node}' node."


class RequestSkippedError(_ActionError):
    """Not called: the caller's own time was over."""

    text = "Calling '{action}' is skipped because timeout reached on '{node}' node."


class RequestRejectedError(_ActionError):
    """The node that should have answered is gone."""

    text = "Request is rejected when call '{action}' action on '{node}' node."


class QueueIsFullError(_ActionError):
    """Too many requests are waiting."""

    text = "Queue is full. Request '{action}' action on '{node}' node is rejected."


class MaxCallLevelError(MoleculerError):
    """Calls are nested too deep."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(
            f"Request level is reached the limit ({data.get('level')}) on '{data.get('nodeID')}' node.",
            data=dict(data),
        )


class ServiceSchemaError(MoleculerError):
    """A service is written wrongly."""


class InvalidPacketDataError(MoleculerError):
    """A packet cannot be read."""


class ProtocolVersionMismatchError(MoleculerError):
    """A packet is in a version of the protocol that we do not speak."""

    def __init__(self, node_id: str, actual: str, received: object) -> None:
        super().__init__("Protocol version mismatch.", data={"nodeID": node_id, "actual": actual, "received": received})


class BrokerOptionsError(MoleculerError):
    """A broker was told something that makes no sense."""


class GracefulStopTimeoutError(MoleculerError):
    """A service's handlers did not end in time when it was stopped."""

    def __init__(self, name: str, version: object) -> None:
        data = {"name": name} if version is None else {"name": name, "version": version}
        super().__init__(f"Unable to stop '{name}' service gracefully.", data=data)


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
        BrokerOptionsError,
        GracefulStopTimeoutError,
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
    fields: dict[str, Any] = wire if isinstance(wire, dict) else {"name": "Error", "message": str(wire)}
    remote = read_remote_error(fields, sender)
    assert remote is not None  # noqa: S101 - only what is no object is not read
    name = remote.summary.name or "Error"
    cls = _KNOWN.get(name, RemoteError)
    error = cls.__new__(cls)
    MoleculerError.__init__(error, remote.summary.message, data=remote.data)
    error.name = name
    error.code = fields.get("code")
    error.type = fields.get("type")
    error.retryable = remote.is_retryable
    error.node_id = remote.summary.node_id
    error.stack = remote.stack or None
    return error
