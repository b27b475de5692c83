"""Names under which secrets are sent, and a fast way to see that a run of bytes holds none of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.native import IS_COMPILED, compiled

DEFAULT_NAMES: Final = (
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "authorization",
    "api key",
    "private key",
    "cookie",
    "credit card",
    "card number",
    "cvv",
)

_HEADER_FIELDS: Final = frozenset(
    {"ver", "sender", "action", "event", "params", "data", "meta", "headers", "timeout", "level", "tracing", "parentid"}
    | {"requestid", "caller", "stream", "seq", "groups", "broadcast", "success", "error", "services", "instanceid"}
    | {"iplist", "hostname", "client", "config", "metadata", "cpu", "time", "arrived"}
)
"""Masking these would change what a packet is."""

_LETTERS: Final = bytes(c for c in range(256) if not (chr(c).isascii() and chr(c).isalnum()))
_LOWER: Final = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))
_JOINTS: Final = ("", "_", "-", " ")
_CASE: Final = 0x20202020
_THREE: Final = 0x00FFFFFF
_BLOCK: Final = 1 << 16
_KEYS_BLOCK: Final = 1 << 19
_QUOTE, _COLON, _SLASH, _BACKSLASH, _SPACE, _EQUALS = b'":/\\ ='
_BEFORE: Final = 64
_TAIL: Final = 8
_MOST_SLASHES: Final = 7
"""JSON in JSON in JSON; a key deeper than that is looked for in vain."""
_MOST_TAILS: Final = 10_000
_MOST_BLANKS: Final = 16
"""Between a key and its colon; where there are more, the whole message is looked at."""

_RARITY: Final = {c: math.log(n) for n, c in enumerate("etaoinshrdlucmfwypvbgkjqxz", 2)}
"""Letters of English, the commonest first."""

_WORDS: Final = frozenset({"word", "card", "numb", "cook", "auth", "priv", "hori", "cred", "redi", "edit"})
"""Windows that plain text holds often."""


class SecretNames:
    """A list of names. A key is one of them when it ends with it: ``accessToken``, ``x-api-key``, ``cookies``."""

    def __init__(self, names: Sequence[str]) -> None:
        """
        Args:
            names: Words apart by spaces; case and what joins the words do not matter.

        Raises:
            ValueError: A name is too short to be looked for, or is one of a packet's own fields.
        """
        plain = []
        for name in names:
            letters = _letters(name.encode())
            if len(letters) < 3:
                raise ValueError(f"mask name is '{name}', expected at least 3 letters")
            if letters.decode() in _HEADER_FIELDS:
                raise ValueError(f"mask name '{name}' is a field that every packet needs")
            plain.append(letters)
        self._endings = tuple(ending for letters in plain for ending in (letters, letters + b"s"))
        endings = [ending for name in names for ending in _written_endings(name)]
        self._tails = np.zeros(1 << 16, np.bool_)
        self._tails[_hashed(np.array([_tail(ending) >> 32 for ending in endings], np.uint32))] = True
        self._long_tails = _LongTails(endings)
        windows = sorted({_rarest(joint.join(name.lower().split())) for name in names for joint in _JOINTS})
        self._fours = _words(window for window in windows if len(window) == 4)
        self._threes = _words(window + b"\0" for window in windows if len(window) == 3)
        self._scheme = _words([b"://\0"])

    def holds(self, key: bytes) -> bool:
        """Whether values under this key are secret."""
        return bool(self._endings) and _letters(key).endswith(self._endings)

    def suspect_keys(self, octets: NDArray[np.uint8]) -> NDArray[np.int64]:
        """As `suspects`, for bytes that are JSON only, at less than half the cost: looks at the ends of keys."""
        if IS_COMPILED:
            return np.frombuffer(compiled.suspect_keys(octets, self._tails, self._long_tails.pairs), np.int64)
        return self.suspect_keys_slowly(octets)

    def suspect_keys_slowly(self, octets: NDArray[np.uint8]) -> NDArray[np.int64]:
        """As `suspect_keys`, and the same, without the compiled module."""
        found = [at for begin in range(0, len(octets), _KEYS_BLOCK) for at in self._keys_in_block(octets, begin)]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)

    def _keys_in_block(self, octets: NDArray[np.uint8], begin: int) -> list[NDArray[np.int64]]:
        """Colons are looked for: of all that ends a key, JSON holds them least often."""
        first = max(0, begin - _BEFORE)  # a key may be in the block before its colon
        part = octets[first : begin + _KEYS_BLOCK + 2]
        block = octets[begin : begin + _KEYS_BLOCK]
        colons = np.flatnonzero(block == _COLON) + (begin - first)
        urls = colons[(part.take(colons + 1, mode="clip") == _SLASH) & (part.take(colons + 2, mode="clip") == _SLASH)]
        quotes, unclear = _quotes_before(part, colons[colons > _TAIL])
        ends = quotes
        for _ in range(_MOST_SLASHES):
            escaped = part[ends - 1] == _BACKSLASH
            if not escaped.any():
                break
            ends = np.maximum(ends - escaped, 1)
        hits = self._with_tails(part, ends[ends >= _TAIL])
        equals = np.flatnonzero(block == _EQUALS) + (begin - first)  # as in texts that hold a query or a message
        assigned = self._with_tails(part, equals[equals >= _TAIL])
        return [found + first for found in (hits - 1, urls, unclear, assigned - 1) if len(found)]

    def _with_tails(self, part: NDArray[np.uint8], ends: NDArray[Any]) -> NDArray[Any]:
        """Those of the ends before which a name ends; first by a hash of four bytes, what is left by up to eight."""
        some = ends[self._tails[_hashed(_at_each_byte(part, "<u4")[ends - 4] | np.uint32(_CASE))]]
        if not len(some):
            return some
        tails = _at_each_byte(part, "<u8")[some - _TAIL] | np.uint64(_CASE << 32 | _CASE)
        return some[np.fromiter(map(self._long_tails.__getitem__, tails.tolist()), np.bool_, len(some))]

    def suspects(self, octets: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Where a secret's name, or a URL, might be: every true place and some others, rising."""
        found = [at for begin in range(0, len(octets), _BLOCK) for at in self._in_block(octets, begin)]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)

    def _in_block(self, octets: NDArray[np.uint8], begin: int) -> list[NDArray[np.int64]]:
        """A block is small enough to stay in the processor's cache through all comparisons."""
        found = []
        padded = np.zeros(_BLOCK + 8, np.uint8)
        part = octets[begin : begin + _BLOCK + 3]  # a window may reach into the next block
        padded[: len(part)] = part
        count = (min(_BLOCK, len(part)) + 3) // 4
        words, hits, equal = np.empty(count, np.uint32), np.empty(count, np.bool_), np.empty(count, np.bool_)
        for shift in range(4):
            np.bitwise_or(padded[shift : shift + 4 * count].copy().view("<u4"), _CASE, out=words)
            hits[:] = False
            for needle in self._fours:
                np.equal(words, needle, out=equal)
                np.logical_or(hits, equal, out=hits)
            np.bitwise_and(words, _THREE, out=words)
            for needle in (*self._threes, *self._scheme):
                np.equal(words, needle, out=equal)
                np.logical_or(hits, equal, out=hits)
            if hits.any():
                found.append(np.flatnonzero(hits).astype(np.int64) * 4 + (shift + begin))
        return found


def _written_endings(name: str) -> list[str]:
    """The ends of a name, one or many, however its words are joined."""
    return [f"{joint.join(name.lower().split())}{plural}" for joint in _JOINTS for plural in ("", "s")]


def _tail(text: str) -> int:
    """The last eight bytes as a number, the last one highest; what a key of four must have before it."""
    last = text.encode()[-_TAIL:].rjust(4, b'"').rjust(_TAIL, b"\0")
    return int.from_bytes(bytes(c | 0x20 for c in last), "little")


def _at_each_byte(octets: NDArray[np.uint8], dtype: str) -> NDArray[Any]:
    """The bytes as overlapping numbers, one beginning at each byte."""
    size = np.dtype(dtype).itemsize
    return np.ndarray((max(0, len(octets) - size + 1),), dtype, np.ascontiguousarray(octets), strides=(1,))


def _quotes_before(part: NDArray[np.uint8], colons: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Quotation marks that a colon follows, blanks between them or not; and colons of which it is not clear."""
    places = colons - 1
    before = part[places]
    quotes = places[before == _QUOTE]
    places = places[before <= _SPACE]
    for _ in range(_MOST_BLANKS):
        if not len(places):
            return quotes, places
        places = np.maximum(places - 1, 1)
        before = part[places]
        quotes = np.concatenate([quotes, places[before == _QUOTE]])
        places = places[before <= _SPACE]
    return quotes, places


def _hashed(tails: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return (tails * np.uint32(0x9E3779B1)) >> np.uint32(16)


class _LongTails(dict[int, bool]):
    """Whether a tail of eight bytes ends with one of some names; the same few keys are asked for again and again.

    Attributes:
        pairs: All that it knows: how far a tail is shifted, and what it is then. Shape (n, 2).
    """

    def __init__(self, endings: Iterable[str]) -> None:
        super().__init__()
        self._by_shift: dict[int, set[int]] = {}  # how far a tail of eight is shifted to be as long as the name's
        for ending in endings:
            shift = 8 * (_TAIL - min(_TAIL, max(4, len(ending))))
            self._by_shift.setdefault(shift, set()).add(_tail(ending) >> shift)
        pairs = [(shift, tail) for shift, tails in self._by_shift.items() for tail in sorted(tails)]
        self.pairs: Final = np.array(pairs, np.uint64)

    def __missing__(self, tail: int) -> bool:
        is_one = any(tail >> shift in tails for shift, tails in self._by_shift.items())
        if len(self) >= _MOST_TAILS:
            self.clear()
        self[tail] = is_one
        return is_one


def _letters(key: bytes) -> bytes:
    """Lower case, letters and digits only."""
    return key.translate(_LOWER, _LETTERS)


def _rarest(name: str) -> bytes:
    """The four bytes of a name (three of a short one) that are least likely to be found elsewhere."""
    windows = [name[at : at + 4] for at in range(len(name) - 3)] or [name]
    best = max(windows, key=lambda window: (window not in _WORDS, sum(_RARITY.get(c, 0.0) for c in window)))
    return bytes(c | 0x20 for c in best.encode())


def _words(windows: Iterable[bytes]) -> list[int]:
    return [int.from_bytes(window, "little") for window in windows]
