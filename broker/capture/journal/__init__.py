"""The journal of a capture, kept so that opening it again needs no look at its frames."""

from __future__ import annotations


class UnusableJournalError(Exception):
    """A kept journal is damaged, or does not fit its capture; the message says what was found."""


class OtherFormatError(Exception):
    """A kept journal was written by another version of this program: what that observed may differ."""
