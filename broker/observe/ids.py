"""Ids of traces and spans in 64 bits.

The first 16 hex digits of a UUID; otherwise BLAKE2b of 8 bytes. Never
Python's own hash, which differs in every process.
"""

from __future__ import annotations

from hashlib import blake2b


def id64(text: str) -> int:
    """An id as 64 bits; 0 only for the empty text."""
    if len(text) == 36 and text[8] == "-" and text[13] == "-":
        try:
            return int(text[:8] + text[9:13] + text[14:18], 16) or 1
        except ValueError:
            pass
    if not text:
        return 0
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) or 1
