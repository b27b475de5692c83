"""Nothing secret in logs and crash reports."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from broker.operate import log_masks
from broker.operate.masks import Masks


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    logger = logging.getLogger("meshscope-test")
    logger.addHandler(handler)
    logger.propagate = False
    log_masks.install()
    log_masks.hide(Masks((), ["known-secret"]))
    yield told
    log_masks.uninstall()
    log_masks.hide(Masks())
    logger.removeHandler(handler)


def test_a_message_and_what_it_is_made_of_are_masked(logged: io.StringIO) -> None:
    log = logging.getLogger("meshscope-test")
    log.warning("cannot reach %s: %s", "redis://u:hunter2@h", {"password": "hunter2"})
    log.warning("it was known-secret")
    assert logged.getvalue() == "cannot reach redis://u:*******@h: {'password': '***'}\nit was ***\n"


def test_a_traceback_is_masked(logged: io.StringIO) -> None:
    try:
        int("token=hunter2 and known-secret")
    except ValueError:
        logging.getLogger("meshscope-test").exception("this is a bug")
    told = logged.getvalue()
    assert "'token=*** and ***'" in told
    assert "hunter2" not in told
    assert "Traceback" in told


@pytest.mark.usefixtures("logged")
def test_what_nobody_caught_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    sys.excepthook(ValueError, ValueError("redis://u:hunter2@h"), None)
    assert capsys.readouterr().err == "ValueError: redis://u:*******@h\n"


def test_a_log_line_whose_arguments_do_not_fit_tells_none_of_them(logged: io.StringIO) -> None:
    too_few = "two of %s %s"
    logging.getLogger("meshscope-test").warning(too_few, "known-secret")
    assert logged.getvalue() == "two of %s %s (its arguments do not fit)\n"
