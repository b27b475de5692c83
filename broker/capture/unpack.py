"""Chunk records unpacked: ours and other tools'."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

import lz4.frame  # type: ignore[import-untyped]
import zstandard

_TIMES: Final = struct.Struct("<QQQII")
MAX_CHUNK_BYTES: Final = 1 << 30
"""A chunk that says it unpacks to more is taken as damaged."""


class UnreadableChunkError(Exception):
    """A chunk cannot be unpacked; the message says why."""


@dataclass(frozen=True, slots=True)
class UnpackedChunk:
    """Its messages' bytes, and the moments of the first and last (as it says itself)."""

    begin_ns: int
    end_ns: int
    raw: bytes


def unpack_chunk(content: bytes) -> UnpackedChunk:
    """Unpack the content of a Chunk record (without opcode and length).

    Raises:
        UnreadableChunkError: It is cut off, damaged, or packed in an unknown way.
    """
    try:
        begin_ns, end_ns, size, crc, name_length = _TIMES.unpack_from(content)
        at = _TIMES.size + name_length
        compression = content[_TIMES.size : at].decode()
        (packed_size,) = struct.unpack_from("<Q", content, at)
    except (struct.error, UnicodeDecodeError) as error:
        raise UnreadableChunkError(f"its head is damaged ({error})") from error
    packed = content[at + 8 : at + 8 + packed_size]
    if len(packed) < packed_size:
        raise UnreadableChunkError(f"{packed_size - len(packed):,} bytes of it are missing")
    if size > MAX_CHUNK_BYTES:
        raise UnreadableChunkError(f"it says that it holds {size:,} bytes, expected at most {MAX_CHUNK_BYTES:,}")
    raw = _decompress(compression, packed, size)
    if len(raw) != size or (crc and zlib.crc32(raw) != crc):
        raise UnreadableChunkError("its checksum does not fit what is in it")
    return UnpackedChunk(begin_ns, end_ns, raw)


def _decompress(compression: str, packed: bytes, size: int) -> bytes:
    try:
        match compression:
            case "":
                return packed
            case "zstd":
                return zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
            case "lz4":
                return bytes(lz4.frame.decompress(packed))
    except (zstandard.ZstdError, RuntimeError) as error:
        raise UnreadableChunkError(f"it cannot be unpacked ({error})") from error
    raise UnreadableChunkError(f"it is packed with '{compression}', expected zstd, lz4 or nothing")
