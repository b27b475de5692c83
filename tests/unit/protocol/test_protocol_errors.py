"""Remote errors are read in full. That the table of classes is the real one, tests/e2e asks MoleculerJS."""

from __future__ import annotations

from hypothesis import given

from broker.protocol.errors import ErrorSummary, RemoteError, read_remote_error
from tests.unit.protocol.made_up import plain_data


def test_an_error_keeps_all_that_came_with_it() -> None:
    error = {
        "name": "MoleculerClientError", "message": "nope", "nodeID": "node-b", "code": 409, "type": "CONFLICT",
        "retryable": False, "stack": "MoleculerClientError: nope\n at", "data": {"k": 1}, "hint": "try later",
    }  # fmt: skip
    assert read_remote_error(error, "node-a") == RemoteError(
        summary=ErrorSummary("MoleculerClientError", 409, "CONFLICT", "node-b", "nope"),
        is_retryable=False,
        stack="MoleculerClientError: nope\n at",
        data={"k": 1},
        extra={"hint": "try later"},
    )


def test_an_error_without_an_origin_comes_from_who_answered() -> None:
    error = read_remote_error({"name": "RequestTimeoutError"}, "node-a")
    assert error is not None
    assert (error.summary.node_id, error.is_retryable) == ("node-a", True)


@given(plain_data)
def test_any_value_is_an_error_or_none(value: object) -> None:
    assert (read_remote_error(value) is None) == (not isinstance(value, dict))
