"""The audit log as a view shows it: rows, what they match, what is told of one. Plain data, no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from app.side_facts import SideFacts
from app.widgets.format import NOTHING, date_time
from broker.mesh.subject import Subject
from broker.operate.audit import Audit, AuditError, Entry
from broker.operate.masks import Masks

READ_BYTES: Final = 8 * 1024 * 1024
"""Of the log's end; some ten thousand acts."""

OUTCOMES: Final = {
    "done": ("✓ done", "ok"),
    "partly": ("◷ partly", "slow"),
    "failed": ("▲ failed", "failed"),
    "refused": ("▲ refused", "failed"),
    "cancelled": ("◷ cancelled", "slow"),
    "unknown": ("? unknown", "slow"),
    "unreadable": ("▲ unreadable", "failed"),
}
"""How an outcome is shown: sign and word, and its tone."""

Stamp = tuple[int, int]
"""Size and time of change of the log: while they stay, so does what is in it."""


@dataclass(frozen=True, slots=True)
class ActRow:
    """An act.

    Attributes:
        key: Tells it apart from the others, also as the log grows.
        entry: As it was read.
        is_ours: Whether it was done by this user on this machine.
    """

    key: str
    entry: Entry
    is_ours: bool

    @property
    def who(self) -> str:
        """Who did it; another machine is said to be one."""
        before = self.entry.before
        if before is None:
            return NOTHING
        return before.who if self.is_ours else f"{before.who} (another)"

    @property
    def where(self) -> str:
        """The profile, or the URL where there is none."""
        before = self.entry.before
        if before is None:
            return NOTHING
        return before.profile or before.url or NOTHING

    @property
    def what(self) -> str:
        """The act, in a word."""
        return self.entry.before.command if self.entry.before else NOTHING

    @property
    def target(self) -> str:
        """To what it was done, and how."""
        before = self.entry.before
        if before is None:
            return self.entry.unreadable or "an outcome without its first line"
        return f"{before.target}   {before.details}".strip() or NOTHING

    @property
    def words(self) -> str:
        """Everything in which a text may be found."""
        before = self.entry.before
        more = (before.namespace, before.url, before.source, before.id) if before else ()
        parts = (self.who, self.where, self.what, self.target, self.entry.outcome, self.entry.message, *more)
        return "\n".join(parts).casefold()


@dataclass(frozen=True, slots=True)
class Log:
    """The log as it was read.

    Attributes:
        rows: The newest first.
        left_out_bytes: Of its beginning.
        trouble: Why it cannot be read; empty if it can.
        stamp: When it was read.
    """

    rows: tuple[ActRow, ...] = ()
    left_out_bytes: int = 0
    trouble: str = ""
    stamp: Stamp = field(default=(0, 0))


def stamp_of(path: Path) -> Stamp:
    """Of the log; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def read_log(audit: Audit, whose: str, masks: Masks, known: Log) -> Log:
    """Read the log; what is known is given back where nothing was added. In a worker.

    Args:
        audit: The log.
        whose: Who runs this, ``user@host``.
        masks: What is secret, in lines that are none of ours.
        known: As it was read last.
    """
    stamp = stamp_of(audit.path)
    if stamp == known.stamp and not known.trouble:
        return known
    try:
        page = audit.read(most_bytes=READ_BYTES)
    except AuditError as error:
        return Log(trouble=str(error), stamp=stamp)
    last = len(page.entries)
    rows = tuple(
        ActRow(f"{last - place}", _masked(entry, masks), entry.before is None or entry.before.who == whose)
        for place, entry in enumerate(page.entries)
    )
    return Log(rows, page.left_out_bytes, "", stamp)


def _masked(entry: Entry, masks: Masks) -> Entry:
    """What we wrote is masked already; what cannot be read may be anything."""
    return replace(entry, unreadable=masks.text(entry.unreadable)) if entry.unreadable else entry


def matching(rows: Sequence[ActRow], text: str) -> list[ActRow]:
    """Rows in which each word of a text is found."""
    words = text.casefold().split()
    return [row for row in rows if all(word in row.words for word in words)]


def subject_of(row: ActRow) -> Subject:
    """An act, to be selected."""
    before = row.entry.before
    return Subject("act", before.namespace if before else "", row.key)


def act_facts(subject: Subject, row: ActRow | None) -> SideFacts:
    """What the side panel tells of an act."""
    if row is None:
        return SideFacts(subject, "An act", "act", "It is not in the log any more", is_known=False)
    entry, before = row.entry, row.entry.before
    sign, _tone = OUTCOMES.get(entry.outcome, (entry.outcome, ""))
    if before is None:
        text = entry.unreadable
        told = (("outcome", sign), ("message", entry.message))
        return SideFacts(
            subject, "A line of the log", "act", sign, facts=told, schema_title="As it stands", schema=text
        )
    ended = date_time(entry.after.at_ns) if entry.after else NOTHING
    facts = (
        ("outcome", sign),
        ("message", entry.message or NOTHING),
        ("begun", date_time(before.at_ns)),
        ("ended", ended),
        ("who", row.who),
        ("profile", before.profile or "none: a bare URL"),
        ("URL", before.url or NOTHING),
        ("namespace", before.namespace or NOTHING),
        ("target", before.target or NOTHING),
        ("how", before.details or NOTHING),
        ("second step", {"type": "its name was typed", "ask": "it was asked"}.get(before.confirm, "none")),
        ("permission", before.may or NOTHING),
        ("source", before.source or NOTHING),
        *(
            (f"→ {each.get('target', '')}", f"{each.get('outcome', '')} {each.get('message', '')}".strip())
            for each in (entry.after.targets if entry.after else ())
        ),
    )
    title = f"{before.command} {before.target}".strip()
    return SideFacts(subject, title, "act", f"{sign} · {date_time(before.at_ns)}", facts=facts)
