"""Types of the compiled module; what each does is written with its twin."""

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextvars import Context
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

_Group = TypeVar("_Group", bound=tuple[int, list[tuple[bytes, bytes]], list[int]])

Entry = tuple[int, bytes, int, str, Any, Any, int, int]

ROW_BYTES: Final[int]

class Counter:
    """Twin: broker.observe.counters.Counter."""

    namespace: int
    packet_type: int
    packets: int
    bytes: int
    undecodable: int
    ours: int
    def __init__(self, namespace: int, packet_type: int, /) -> None: ...

class Young:
    """Twin: broker.observe.young.Young."""

    def __len__(self) -> int: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __setitem__(self, key: str, entry: Entry, /) -> None: ...
    def __delitem__(self, key: str, /) -> None: ...
    def get(self, key: str, /) -> Entry | None: ...
    def pop(self, key: str, otherwise: None, /) -> Entry | None: ...
    def setdefault(self, key: str, entry: Entry, /) -> Entry: ...
    def all(self) -> list[tuple[str, Entry]]: ...
    def begun_until(self, moment_ns: int, /) -> list[tuple[str, Entry]]: ...
    def endless_to(self, node: int, /) -> list[tuple[str, Entry]]: ...
    def oldest_ns(self) -> int | None: ...
    def forget_oldest(self, most: int, /) -> int: ...

class Rows:
    """Twin: broker.observe.rows.Rows."""

    def __init__(self, id64: Callable[[str], int], /) -> None: ...
    def __len__(self) -> int: ...
    def append(self, row: tuple[Any, ...], /) -> None: ...
    def take(self) -> tuple[bytearray, bytes, bytes]: ...
    def answers(self, first: int, /) -> list[tuple[int, int, int, bytes]]: ...

class FastLane:
    """What is ordinary on a lane: its routes and senders, found again by the bytes in which packets say them."""

    def __init__(
        self, takes: str, counter: Counter, prefix: str, routes: dict[Any, bytes], senders: set[str], /
    ) -> None: ...

class Intake:
    """Twins: broker.observe.correlation.Correlation, its hot path; broker.observe.pipeline.Pipeline for events."""

    has_soon: bool
    def __init__(
        self,
        young: Young,
        rows: Rows,
        others: set[str],
        id_length: int,
        longest_timeout_ms: int,
        waiting_after_ns: int,
        /,
    ) -> None: ...
    def take(
        self,
        lanes: dict[bytes, FastLane],
        moments: list[int],
        frames: list[tuple[bytes, bytes]],
        numbers: list[int] | None,
        first: int,
        room: int,
        events: list[tuple[int, bytes, int, Any, Any, Any, int]],
        until_ns: int,
        /,
    ) -> int: ...
    def take_soon(self) -> list[tuple[int, str]]: ...

class ReadingThread:
    """Twin: broker.transport.redis.rounds.Rounds with Reading. Only on Linux."""

    def __init__(
        self,
        descriptor: int,
        *,
        pile_ns: int,
        least_bytes: int,
        most_bytes: int,
        pile_bytes: int,
        think_bytes: int,
        most_waiting_bytes: int,
        stamps_a_round: int,
        most_reads: int,
    ) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...
    def fileno(self) -> int: ...
    def read(self) -> bool: ...
    def hurry(self, is_hurried: bool, /) -> None: ...
    def noticed(self) -> tuple[int, int]: ...
    def take(self, now_ns: int, ahead_ns: int, is_awaiting: bool, /) -> tuple[list[tuple[int, bytes, bool]], int]: ...

class Splitter:
    """Twin: hiredis, as broker.transport.redis.replies.Replies uses it."""

    def split(self, block: bytes, begin: int, frames: list[tuple[bytes, bytes]], /) -> int: ...
    def split_run(
        self,
        pieces: Iterator[tuple[int, bytes, bool]],
        moments: list[int],
        frames: list[tuple[bytes, bytes]],
        behind_bytes: int,
        most_bytes: int,
        /,
    ) -> tuple[int, int, tuple[int, bytes, int, list[tuple[bytes, bytes]]] | None]: ...
    def go_straight(
        self,
        pieces: deque[tuple[int, bytes, bool]],
        straight: Straight,
        behind_bytes: int,
        most_bytes: int,
        late_ns: int,
        /,
    ) -> tuple[int, int]: ...
    def release(self) -> bytes: ...

class Straight:
    """Twin: broker.probe.intake.Intake.feed_run, where it takes nothing that is not ordinary.

    Attributes:
        count: How many messages it took.
        last_ns: When the last of them arrived.
    """

    count: int
    last_ns: int
    def __init__(
        self,
        intake: tuple[Intake, dict[bytes, FastLane], list[Any], int, int],
        chunk: tuple[bytearray, bytearray, dict[bytes, int], int, int, int] | None,
        known: set[bytes] | None,
        since_ns: int,
        /,
    ) -> None: ...

def append_frames(
    raw: bytearray,
    offsets: bytearray,
    ids: dict[bytes, int],
    frames: Sequence[tuple[bytes, bytes]],
    first: int,
    moments: list[int],
    base: int,
    full: int,
    until_ns: int,
    /,
) -> list[int]:
    """Twin: broker.capture.messages.append_frames_slowly."""

def all_begin_with(frames: Sequence[tuple[bytes, bytes]], is_one: bytes, /) -> bool:
    """Twin: broker.protocol.peeling.all_begin_with_slowly."""

def suspect_keys(octets: NDArray[np.uint8], tails: NDArray[np.bool_], endings: NDArray[np.uint64], /) -> bytes:
    """Twin: broker.capture.secret_names.SecretNames.suspect_keys_slowly; places as int64."""

def places_of(text: Buffer, wanted: bytes, /) -> bytes:
    """Twin: broker.capture.search.places_of_slowly; places as int64."""

def is_written_as_it_is(value: object, /) -> bool:
    """Twin: broker.protocol.serializers.json.is_written_as_it_is_slowly; False for what nests deep."""

class Ear:
    """Twin: broker.transport.redis.wire.Wire.data_received.

    Attributes:
        is_on: Whether messages may be split here; all goes to ``otherwise`` while not.
        was_heard: Whether something arrived since this was last made False.
    """

    is_on: bool
    was_heard: bool
    def __init__(
        self,
        splitter: Splitter,
        deliver: Callable[[bytes, bytes], None],
        failed: Callable[[bytes, Exception], None],
        otherwise: Callable[[bytes, int, list[tuple[bytes, bytes]]], None],
        full: int,
        /,
    ) -> None: ...
    def __call__(self, block: bytes, /) -> None: ...

class Post:
    """Twin: broker.node.wire.Wire.receive_slowly."""

    def __init__(
        self,
        known: dict[bytes, tuple[Callable[[bytes], Any], Callable[[Any], None]]],
        protocols: dict[str, str],
        careful: Callable[[bytes, bytes], None],
        failed: Callable[[Exception], None],
        /,
    ) -> None: ...
    def __call__(self, channel: bytes, body: bytes, /) -> None: ...

def index_messages(raw: Buffer, offsets: NDArray[np.int64], /) -> tuple[bytes, dict[int, int], dict[int, int]]:
    """Twin: broker.capture.chunk.index_slowly."""

def all_below(octets: NDArray[np.uint8], offsets: NDArray[np.int64], ahead: int, limit: int, /) -> bool:
    """Twin: broker.capture.search.all_below_slowly."""

def split_messages(
    raw: bytes,
    at: int,
    names: dict[int, bytes | None],
    base: int,
    most_offset: int,
    most: int,
    last_ns: int,
    group_type: type[_Group],
    /,
) -> tuple[list[_Group], int, int]:
    """Twin: broker.capture.messages.split_messages_slowly."""

class Wait:
    """Twin: asyncio.Future, of which one task may await it. What settles it tells whether nothing had before."""

    _asyncio_future_blocking: bool
    def __init__(self, loop: asyncio.AbstractEventLoop, /) -> None: ...
    def __await__(self) -> Generator[Any, None, Any]: ...
    def set_result(self, result: Any, /) -> bool: ...
    def give(self, result: Any, /) -> bool:
        """As ``set_result``; where no task runs, the one that waits goes on before this returns."""
    def set_exception(self, error: BaseException, /) -> bool: ...
    def cancel(self, msg: object = None) -> bool: ...
    def done(self) -> bool: ...
    def result(self) -> Any: ...
    def get_loop(self) -> asyncio.AbstractEventLoop: ...
    def add_done_callback(self, wake: Callable[[Any], object], /, *, context: Context) -> None: ...

def look_up(table: NDArray[Any], numbers: NDArray[Any], found: NDArray[Any], /) -> None:
    """Twin: broker.mesh.counting.look_up_slowly."""

def count_calls(
    groups: NDArray[np.intp],
    outcome: NDArray[np.uint8],
    bucket: NDArray[np.int16],
    duration_s: NDArray[np.float32],
    outcomes: NDArray[np.int64],
    cells: NDArray[np.int32],
    max_s: NDArray[np.float32],
    width: int,
    /,
) -> None:
    """Twin: broker.mesh.counting.count_calls_slowly."""

def count_moments(
    groups: NDArray[np.intp],
    moments: NDArray[np.intp],
    outcome: NDArray[np.uint8],
    bucket: NDArray[np.int16],
    counts: NDArray[np.int64],
    cells: NDArray[np.int32],
    points: int,
    coarse: int,
    /,
) -> None:
    """Twin: broker.mesh.counting.count_moments_slowly."""

def merge_cells(cells: NDArray[np.int32], into: NDArray[np.intp], merged: NDArray[np.int32], width: int, /) -> None:
    """Twin: broker.mesh.counting.merge_cells_slowly."""

def quantile_buckets(
    cells: NDArray[np.int32],
    shares: NDArray[np.float64],
    counts: NDArray[np.int64],
    buckets: NDArray[np.int64],
    /,
) -> None:
    """Twin: broker.mesh.counting.quantile_buckets_slowly."""
