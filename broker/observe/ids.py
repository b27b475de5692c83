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
_END = ord("\n")
_MARK = ord("~")
_NONE = "00000000-0000-0000-0000-00000000000~"  # stands for no id where all others are UUIDs
_LINE = np.dtype(
    [("a", "V8"), ("b", "u1"), ("c", "V4"), ("d", "u1"), ("e", "V4"), ("f", "V17"), ("g", "u1"), ("h", "u1")]
)
_DIGITS = np.dtype([("a", "V8"), ("c", "V4"), ("e", "V4")])


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


def ids64(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """Many ids at once, each as id64 gives it; ten times as fast where all are UUIDs or none.

    Args:
        texts: The ids; None is as the empty text.

    Returns:
        Shape (len(texts),).

    Raises:
        TypeError: One of them is no text.
    """
    numbers = _uuids([text or _NONE for text in texts])
    if numbers is not None:
        return numbers
    known = {text: id64(text) if text else 0 for text in set(texts)}  # a trace's id comes with each of its calls
    return np.fromiter(map(known.__getitem__, texts), np.uint64, len(texts))


def _uuids(texts: list[str]) -> NDArray[np.uint64] | None:
    """Ids as 64 bits each; None unless all of them are UUIDs, or _NONE."""
    try:
        letters = ("\n".join(texts) + "\n").encode("ascii")
    except UnicodeEncodeError:
        return None
    if len(letters) != (_UUID_LENGTH + 1) * len(texts) or letters.count(b"\n") != len(texts):
        return None
    lines = np.frombuffer(letters, _LINE)
    if not ((lines["h"] == _END) & (lines["b"] == _DASH) & (lines["d"] == _DASH)).all():
        return None
    digits = np.empty(len(texts), _DIGITS)
    for name in _DIGITS.names or ():
        digits[name] = lines[name]
    try:
        numbers: NDArray[np.uint64] = np.frombuffer(unhexlify(digits.tobytes()), ">u8").astype(np.uint64)
    except NotHexError:
        return None
    least = (lines["g"] != _MARK).astype(np.uint64)  # only no id at all is 0
    np.maximum(numbers, least, out=numbers)
    return numbers
