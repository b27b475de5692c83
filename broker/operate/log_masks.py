"""Nothing secret in logs and crash reports: one rule for the program, as its log is one."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

from broker.operate.masks import Masks


class _Rule:
    """What is hidden."""

    masks = Masks()
    make = logging.getLogRecordFactory()
    is_installed = False


def install() -> None:
    """From now on, whatever is logged, and what nobody caught, is masked. Once for a program."""
    if not _Rule.is_installed:
        _Rule.make, _Rule.is_installed = logging.getLogRecordFactory(), True
        logging.setLogRecordFactory(_masked_record)
        sys.excepthook = _tell_masked


def uninstall() -> None:
    """Log as before."""
    if _Rule.is_installed:
        logging.setLogRecordFactory(_Rule.make)
        sys.excepthook = sys.__excepthook__
        _Rule.is_installed = False


def hide(masks: Masks) -> None:
    """What is secret from now on."""
    _Rule.masks = masks


def hidden(text: str) -> str:
    """A text as it may be shown and logged."""
    return _Rule.masks.text(text)


def _masked_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = _Rule.make(*args, **kwargs)
    try:
        record.msg, record.args = hidden(record.getMessage()), ()
    except (TypeError, ValueError):
        # a mistake of the one who logs; logging itself would tell what did not fit
        record.msg, record.args = f"{hidden(str(record.msg))} (its arguments do not fit)", ()
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = hidden("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        record.exc_info = None  # whoever formats it again would not mask it
    return record


def _tell_masked(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(hidden("".join(traceback.format_exception(kind, error, trace))))
