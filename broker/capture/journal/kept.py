"""The journal that is kept of a capture, in it or on a shelf, if it can be used."""

from __future__ import annotations

from array import array
from contextlib import ExitStack
from pathlib import Path

from broker.capture.chunk_list import ChunkList
from broker.capture.journal import OtherFormatError, UnusableJournalError
from broker.capture.journal.attachment import after_old_end, find
from broker.capture.journal.file import JournalIndex, JournalReader
from broker.capture.journal.shelf import JournalShelf, identity

_MIN_MESSAGE_BYTES = 31


def kept_journal(path: Path, masking: str, shelf: JournalShelf | None) -> JournalReader | None:
    """The journal of a capture; it fits the capture's chunks, but its blocks are not looked at yet.

    Args:
        path: The capture.
        masking: The rule by which settings are masked; a journal on the shelf was made by the same.
        shelf: Where it may be; None for in the capture only.

    Returns:
        None if there is none, or none of this version of the program.

    Raises:
        UnusableJournalError: The one in the capture cannot be used, and the shelf has no other; says why.
    """
    trouble: UnusableJournalError | None = None
    for look in (_inside, _shelved):
        try:
            found = look(path, masking, shelf)
        except UnusableJournalError as error:
            trouble = trouble or error
        except (OtherFormatError, OSError):
            continue
        else:
            if found is not None:
                return found
    if trouble is not None:
        raise trouble
    return None


def _inside(path: Path, _masking: str, _shelf: JournalShelf | None) -> JournalReader | None:
    with ExitStack() as opened:
        file = opened.enter_context(path.open("rb"))
        region = find(file)
        if region is None:
            return None
        journal = JournalReader(file, region.begin, region.size)
        if after_old_end(file, journal.index.stopped_at) != region.place:
            raise UnusableJournalError("it does not tell of all frames before it")
        journal.chunks = _fitting(journal.index, path)
        opened.pop_all()  # it stays open with the journal
        return journal


def _shelved(path: Path, masking: str, shelf: JournalShelf | None) -> JournalReader | None:
    kept = shelf.open(path) if shelf is not None else None
    if kept is None:
        return None
    with ExitStack() as opened:
        file = opened.enter_context(kept[0])
        journal = JournalReader(file, 0, kept[1], is_ours=True)
        if journal.index.file != identity(path) or journal.index.masking != masking:
            return None
        journal.chunks = _fitting(journal.index, path)
        opened.pop_all()
        return journal


def _fitting(index: JournalIndex, path: Path) -> ChunkList:
    """The capture's chunks, if they are those that the journal was made from.

    Raises:
        UnusableJournalError: They are not.
        OSError: The capture cannot be read.
    """
    if len(index.places) % 8:
        raise UnusableJournalError("its list of chunks is cut off")
    with path.open("rb") as file:
        chunks = ChunkList.at(file, array("Q", index.places))
    if chunks is None or chunks.digest() != index.digest:
        raise UnusableJournalError("it was made from other frames than those in the capture")
    if not 0 <= index.frames * _MIN_MESSAGE_BYTES <= chunks.raw_bytes:
        raise UnusableJournalError("it tells of more frames than there are")
    return chunks
