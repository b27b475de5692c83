"""Errors as answers carry them (protocol, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple


class ErrorClass(NamedTuple):
    """What Moleculer's own classes of errors have unless told otherwise."""

    code: int
    type: str | None
    is_retryable: bool


ERROR_CLASSES: Final = {
    "MoleculerError": ErrorClass(500, None, is_retryable=False),
    "MoleculerRetryableError": ErrorClass(500, None, is_retryable=True),
    "MoleculerServerError": ErrorClass(500, None, is_retryable=True),
    "MoleculerClientError": ErrorClass(400, None, is_retryable=False),
    "ServiceNotFoundError": ErrorClass(404, "SERVICE_NOT_FOUND", is_retryable=True),
    "ServiceNotAvailableError": ErrorClass(404, "SERVICE_NOT_AVAILABLE", is_retryable=True),
    "RequestTimeoutError": ErrorClass(504, "REQUEST_TIMEOUT", is_retryable=True),
    "RequestSkippedError": ErrorClass(514, "REQUEST_SKIPPED", is_retryable=False),
    "RequestRejectedError": ErrorClass(503, "REQUEST_REJECTED", is_retryable=True),
    "QueueIsFullError": ErrorClass(429, "QUEUE_FULL", is_retryable=True),
    "ValidationError": ErrorClass(422, "VALIDATION_ERROR", is_retryable=False),
    "MaxCallLevelError": ErrorClass(500, "MAX_CALL_LEVEL", is_retryable=False),
    "ServiceSchemaError": ErrorClass(500, "SERVICE_SCHEMA_ERROR", is_retryable=False),
    "BrokerOptionsError": ErrorClass(500, "BROKER_OPTIONS_ERROR", is_retryable=False),
    "GracefulStopTimeoutError": ErrorClass(500, "GRACEFUL_STOP_TIMEOUT", is_retryable=False),
    "ProtocolVersionMismatchError": ErrorClass(500, "PROTOCOL_VERSION_MISMATCH", is_retryable=False),
    "InvalidPacketDataError": ErrorClass(500, "INVALID_PACKET_DATA", is_retryable=False),
    "BrokerDisconnectedError": ErrorClass(502, "BAD_GATEWAY", is_retryable=True),
}
"""By name. Whatever else a service throws has its own class, or none of these fields."""


class ErrorSummary(NamedTuple):
    """A remote error, as far as it is counted by.

    Attributes:
        name: Class name, such as ``ValidationError``.
        code: Like an HTTP status; None for plain JavaScript errors.
        type: Code for machines, such as ``CONFLICT``.
        node_id: Where it arose; not always the node that answers.
        message: For people.
    """

    name: str
    code: int | None
    type: str
    node_id: str
    message: str


NO_ERROR_GIVEN: Final = ErrorSummary("", None, "", "", "")


def summary(error: object) -> ErrorSummary:
    """What an answer's ``error`` is counted by. Never raises; what is missing or odd is left out."""
    if not isinstance(error, dict):
        return NO_ERROR_GIVEN
    return ErrorSummary(
        name=_text(error.get("name")),
        code=error_code(error.get("code")),
        type=_text(error.get("type")),
        node_id=_text(error.get("nodeID")),
        message=_text(error.get("message")),
    )


def error_code(value: object) -> int | None:
    """An error's code as a number; None where it is none (``ECONNREFUSED`` is a code as well)."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        value = int(value) if len(digits) < 10 and digits.isascii() and digits.isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        return None
    return int(value)


@dataclass(frozen=True, slots=True)
class RemoteError:
    """An error with all that came with it.

    Attributes:
        summary: What it is counted by.
        is_retryable: Whether it says that another attempt may help; what its class has where it says nothing.
        stack: As its origin wrote it; empty when it was left out.
        data: Whatever belongs to it, as plain data.
        extra: Further fields, which a service's own regenerator adds.
    """

    summary: ErrorSummary
    is_retryable: bool
    stack: str
    data: Any
    extra: dict[str, Any]


_KNOWN_FIELDS: Final = frozenset(("name", "message", "nodeID", "code", "type", "retryable", "stack", "data"))


def read_remote_error(error: object, sender: str = "") -> RemoteError | None:
    """An answer's ``error`` in full; None if it is no object. Never raises.

    Args:
        error: What the packet holds.
        sender: Who answered: the origin of an error that names none.
    """
    if not isinstance(error, dict):
        return None
    short = summary(error)
    retryable = error.get("retryable")
    if not isinstance(retryable, bool):
        known = ERROR_CLASSES.get(short.name)
        retryable = known is not None and known.is_retryable
    return RemoteError(
        summary=short if short.node_id else short._replace(node_id=sender),
        is_retryable=retryable,
        stack=_text(error.get("stack")),
        data=error.get("data"),
        extra={str(name): value for name, value in error.items() if name not in _KNOWN_FIELDS},
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
