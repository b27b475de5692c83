"""The filter language: what could stand at the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from broker.mesh.filter_lexer import FilterError, Token, quoted, tokens
from broker.mesh.filter_terms import FIELDS, ORDERING, OUTCOMES
from broker.mesh.names import error_label
from broker.observe.journal import NameKind

if TYPE_CHECKING:
    from broker.mesh.timeline import Snapshot

MOST: Final = 40

OPERATOR_NOTES: Final = {
    "=": "is",
    "!=": "is not",
    "~": "contains, or fits * and ?",
    ">": "is more than",
    ">=": "is at least",
    "<": "is less than",
    "<=": "is at most",
}
KEYWORD_NOTES: Final = {"and": "both", "or": "either", "not": "all but"}
DURATIONS: Final = ("10ms", "50ms", "100ms", "200ms", "500ms", "1s", "5s")
KINDS: Final = {
    "action": NameKind.ACTION,
    "node": NameKind.NODE,
    "source": NameKind.NODE,
    "target": NameKind.NODE,
    "caller": NameKind.SERVICE,
    "event": NameKind.EVENT,
    "type": NameKind.PACKET_TYPE,
}


class Completion(NamedTuple):
    """What could stand at the cursor.

    Attributes:
        text: What to put there.
        start, end: What it takes the place of, in characters.
        note: What it means.
    """

    text: str
    start: int
    end: int
    note: str


def complete(text: str, position: int, snapshot: Snapshot | None) -> list[Completion]:
    """What could stand at a position of a filter, likeliest first, at most 40.

    Args:
        text: The filter, finished or not.
        position: Where the cursor is, in characters.
        snapshot: Whose names to offer as values; None for none.
    """
    before, typed, start = _typed(text[: max(0, position)])
    end = max(start, min(position, len(text)))
    kept: dict[str, Completion] = {}
    for offer, note in _fitting(typed, _offers(before, snapshot)):
        kept.setdefault(offer, Completion(offer, start, end, note))
        if len(kept) >= MOST:
            break
    return list(kept.values())


def _typed(text: str) -> tuple[list[Token], str, int]:
    """The finished tokens, the word that is being typed (maybe ""), and where it starts."""
    try:
        found = tokens(text)[:-1]
    except FilterError as error:
        if text[error.position : error.position + 1] not in {"'", '"'}:
            return [], "", len(text)
        return tokens(text[: error.position])[:-1], text[error.position + 1 :], error.position
    if found and found[-1].kind == "word" and found[-1].end == len(text):
        return found[:-1], found[-1].text, found[-1].start
    return found, "", len(text)


def _offers(before: list[Token], snapshot: Snapshot | None) -> Iterable[tuple[str, str]]:
    """What fits behind these tokens: (text, note)."""
    last = before[-1] if before else None
    if last is not None and last.kind == "operator":
        field = before[-2].text.lower() if len(before) > 1 else ""
        return _values(field, last.text, snapshot) if field in FIELDS else ()
    if last is None or last.kind == "(" or last.keyword:
        return [*_fields(), ("not", KEYWORD_NOTES["not"])]
    is_value = len(before) > 1 and before[-2].kind == "operator"
    if last.kind == "word" and not is_value and last.text.lower() in FIELDS:
        return _operators(last.text.lower())
    return [(word, KEYWORD_NOTES[word]) for word in ("and", "or")] + list(_fields())


def _fields() -> Iterable[tuple[str, str]]:
    return [(name, field.note) for name, field in FIELDS.items()]


def _operators(field: str) -> Iterable[tuple[str, str]]:
    kind = FIELDS[field].kind
    for operator, note in OPERATOR_NOTES.items():
        is_order = operator in ORDERING
        if not (is_order and kind in {"text", "outcome"}) and not (operator == "~" and kind in {"duration", "number"}):
            yield operator, note


def _values(field: str, operator: str, snapshot: Snapshot | None) -> Iterable[tuple[str, str]]:
    kind = FIELDS[field].kind
    if kind == "outcome":
        return [(name, "outcome") for name in OUTCOMES]
    if kind == "duration":
        return [(value, "duration") for value in DURATIONS]
    if snapshot is None or kind == "number":
        return [(quoted(FIELDS[field].example), "for instance")]
    if kind == "error":
        return _errors(snapshot, operator)
    names = snapshot.names
    if field == "namespace":
        return [(quoted(name), "namespace") for name in snapshot.namespaces()]
    if field == "service":
        return [(quoted(name), "service") for _, name in snapshot.directory.services[1:]]
    offers = [(quoted(name), field) for name in names.texts(KINDS[field])[1:-1] if name]
    if field == "caller":
        offers += [(quoted(f"node:{name}"), "caller outside services") for name in names.texts(NameKind.NODE)[1:-1]]
    return offers


def _errors(snapshot: Snapshot, operator: str) -> Iterable[tuple[str, str]]:
    for text in snapshot.names.texts(NameKind.ERROR)[1:-1]:
        code, _, rest = text.partition("|")
        if code:
            yield code, error_label(text)
        for part in rest.split("|") if operator not in ORDERING else ():
            if part:
                yield quoted(part), error_label(text)


def _fitting(typed: str, offers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Those that begin with what is typed, then those that hold it; the typed text itself is no help."""
    wanted = typed.casefold()
    found = [(text, note) for text, note in offers if wanted in text.casefold() and text != typed]
    return sorted(found, key=lambda one: not one[0].strip('"').casefold().startswith(wanted)) if wanted else found
