"""Ids of traces and spans in 64 bits.

The first 16 hex digits of a UUID; otherwise BLAKE2b of 8 bytes. Never
Python's own hash, which differs in every process.
"""

from __future__ import annotations

from binascii import Error as NotHexError
from binascii import unhexlify
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_UUID_LENGTH = 36
_DASH = ord("-")
_FIRST_16_DIGITS = np.r_[0:8, 9:13, 14:18]


def id64(text: str) -> int:
    """An id as 64 bits; 0 only for the empty text."""
    if len(text) == _UUID_LENGTH and text[8] == "-" and text[13] == "-":
        try:
            return int.from_bytes(unhexlify(text[:8] + text[9:13] + text[14:18])) or 1
        except ValueError:
            pass
    if not text:
        return 0
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) or 1


def ids64(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Many ids at once, each as id64 gives it; ten times as fast where all are UUIDs or empty.

    Args:
        texts: The ids, in any shape that strings have.

    Returns:
        Shape (len(texts),).
    """
    lengths = set(map(len, texts))
    if lengths == {_UUID_LENGTH}:
        numbers = _uuids(texts)
        if numbers is not None:
            return numbers
    if 0 in lengths and len(lengths) > 1:
        given = np.fromiter(map(bool, texts), np.bool_, len(texts))
        numbers = np.zeros(len(texts), np.uint64)
        numbers[given] = ids64([text for text in texts if text])
        return numbers
    known = {text: id64(text) for text in set(texts)}  # a trace's id comes with each of its calls
    return np.fromiter(map(known.__getitem__, texts), np.uint64, len(texts))


def _uuids(texts: Sequence[str]) -> NDArray[np.uint64] | None:
    """Texts of 36 characters as 64 bits each; None unless all of them are UUIDs."""
    try:
        letters = np.frombuffer("".join(texts).encode("ascii"), np.uint8).reshape(len(texts), _UUID_LENGTH)
        if not ((letters[:, 8] == _DASH) & (letters[:, 13] == _DASH)).all():
            return None
        numbers = np.frombuffer(unhexlify(letters[:, _FIRST_16_DIGITS].tobytes()), ">u8").astype(np.uint64)
    except (UnicodeEncodeError, NotHexError):
        return None
    return np.maximum(numbers, np.uint64(1))
