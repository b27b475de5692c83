"""What is compiled gives the same as its twin. Without a compiler both are the twin."""

from hypothesis import given
from hypothesis import strategies as st

from broker.capture.messages import append_frames, append_frames_slowly
from broker.protocol.frame import RawFrame

CHANNELS = [b"MOL.REQ.a", b"MOL.RES.a", b"", b"@gap", b"\xff"]
channels = st.sampled_from(CHANNELS)
frames = st.lists(st.tuples(channels, st.binary(max_size=40)), max_size=12)


@given(
    st.lists(frames | frames.map(tuple), max_size=4),
    st.dictionaries(channels, st.integers(1, 65_535)),
    st.integers(0, 3),
    st.integers(0, 2**63),
    st.integers(0, 2**63),
    st.integers(0, 400),
)
def test_frames_are_written_as_the_twin_writes_them(
    feeds: list[list[RawFrame]], ids: dict[bytes, int], first: int, at_ns: int, base: int, full: int
) -> None:
    told = []
    for write in (append_frames, append_frames_slowly):
        raw, offsets = bytearray(), bytearray()
        numbers = [write(raw, offsets, ids, feed, min(first, len(feed)), at_ns, base, full) for feed in feeds]
        told.append((raw, offsets, numbers))
    assert told[0] == told[1]
