"""Whether a kept journal is whole: all of it is looked at, or proven to be what was looked at before."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from hashlib import sha256

from broker.capture.journal.block import Parts
from broker.capture.journal.check import RULES, JournalCheck
from broker.capture.journal.file import JournalReader, PackedBlock
from broker.capture.journal.shelf import JournalShelf
from broker.version import program_version


def look(journal: JournalReader, shelf: JournalShelf | None = None) -> Iterator[None]:
    """Look at all of a journal, before any of it is told.

    Where the same bytes were found whole before, by this version of the
    program, their digest is enough: a tenth of the work.

    Args:
        journal: The journal.
        shelf: Remembers which were found whole; None for looking at everything.

    Returns:
        Nothing, after each block.

    Raises:
        UnusableJournalError: It is damaged, or says what cannot be.
        OSError: The file cannot be read.
    """
    if journal.is_ours:
        for block in journal.packed_blocks():
            block.check_sum()
            yield
        return
    verdicts = shelf.verdicts if shelf is not None and shelf.wants(journal.index.frames) else None
    name = _name(journal)
    known = verdicts.digest(name) if verdicts is not None else b""
    # No block is told while others wait for their digest: one that was changed would be found when rows before it
    # are told, and nobody could go back to the frames.
    if known and (yield from _digest(journal, name)) == known:
        return
    digest = yield from _looked_at(journal, name)
    if verdicts is not None:
        verdicts.remember(name, digest)


def _name(journal: JournalReader) -> str:
    """Tells a journal from others by all but its blocks, of which it has the checksums; other rules give others."""
    by = f"{program_version()} {RULES} "
    return sha256(by.encode() + journal.outline).hexdigest()


def _digest(journal: JournalReader, name: str) -> Generator[None, None, bytes]:
    """Of all of it: of its name and of the digests of its blocks, which are made in threads."""
    whole = sha256(name.encode())
    for digest in journal.each(_digest_of):
        whole.update(digest)
        yield
    return whole.digest()


def _looked_at(journal: JournalReader, name: str) -> Generator[None, None, bytes]:
    """The same digest, of the very bytes that were looked at."""
    whole = sha256(name.encode())
    check = JournalCheck(journal.index.frames)
    for parts, digest in journal.each(_parts_and_digest):
        check.take(parts)
        whole.update(digest)
        yield
    return whole.digest()


def _digest_of(block: PackedBlock) -> bytes:
    # SHA-256: processors have instructions for it, and 120 MB take 0.08 s (BLAKE2b: 0.16 s)
    return sha256(block.packed).digest()


def _parts_and_digest(block: PackedBlock) -> tuple[Parts, bytes]:
    return block.parts(), _digest_of(block)
