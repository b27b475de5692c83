"""Names of the journal and their numbers: append-only, so that a reader needs no lock.

A table by number has one element more than the kind has numbers, for
"(other)": ``counting.look_up`` finds it, whatever the column holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from broker.observe.journal import NO_NAME, OTHER_NAME, Name, NameKind

OTHER_TEXT = "(other)"
"""What OTHER_NAME is shown as, and what was never told."""


class NameBook:
    """All names heard so far. Written by one thread, read through Names by any."""

    def __init__(self) -> None:
        self.texts: dict[NameKind, list[str]] = {kind: [""] for kind in NameKind}
        self.namespaces: dict[NameKind, list[int]] = {kind: [NO_NAME] for kind in NameKind}
        self.numbers: dict[tuple[NameKind, int, str], int] = {}

    def add(self, names: Iterable[Name]) -> None:
        """Keep these names. Numbers may come in any order; a number told twice keeps its latest name."""
        for name in names:
            kind = NameKind(name.kind)
            if name.number == OTHER_NAME:  # its own meaning in every kind
                continue
            texts, namespaces = self.texts[kind], self.namespaces[kind]
            missing = name.number + 1 - len(texts)
            if missing > 0:
                texts.extend([""] * missing)
                namespaces.extend([NO_NAME] * missing)
            texts[name.number] = name.text
            namespaces[name.number] = name.namespace
            self.numbers[kind, name.namespace, name.text] = name.number

    def view(self) -> Names:
        """The names as they are now."""
        return Names(self, tuple(len(self.texts[kind]) for kind in NameKind))


class Names:
    """The names known at one moment; never changes."""

    __slots__ = ("_book", "_counts")

    def __init__(self, book: NameBook, counts: tuple[int, ...]) -> None:
        self._book = book
        self._counts = counts

    @property
    def counts(self) -> tuple[int, ...]:
        """How many numbers each kind has, by NameKind; number 0 is among them."""
        return self._counts

    def count(self, kind: NameKind) -> int:
        """How many numbers this kind has: all are below it, but for OTHER_NAME."""
        return self._counts[kind]

    def knows(self, kind: NameKind, namespace: int, text: str) -> bool:
        """Whether a name was told; the empty namespace is told like others."""
        return (kind, namespace, text) in self._book.numbers

    def text(self, kind: NameKind, number: int) -> str:
        """What a number stands for; "" for NO_NAME, "(other)" for OTHER_NAME and for what was never told."""
        number = int(number)
        is_known = 0 <= number < self._counts[kind] and number != OTHER_NAME
        return self._book.texts[kind][number] if is_known else OTHER_TEXT

    def texts(self, kind: NameKind) -> Sequence[str]:
        """All names of a kind, by number, and "(other)" as the last."""
        texts = self._book.texts[kind][: self._counts[kind]]
        if len(texts) > OTHER_NAME:
            texts[OTHER_NAME] = OTHER_TEXT
        return [*texts, OTHER_TEXT]

    def namespace_of(self, kind: NameKind, number: int) -> int:
        """The number of the namespace that a node, service, action or event lives in."""
        number = int(number)
        return self._book.namespaces[kind][number] if 0 <= number < self._counts[kind] else NO_NAME

    def namespaces_of(self, kind: NameKind) -> Sequence[int]:
        """The namespaces' numbers of all names of a kind, by number, and 0 for "(other)" as the last."""
        return [*self._book.namespaces[kind][: self._counts[kind]], NO_NAME]

    def namespace_texts_of(self, kind: NameKind) -> Sequence[str]:
        """The namespaces' texts of all names of a kind, by number, and "" for "(other)" as the last."""
        spaces = self.texts(NameKind.NAMESPACE)
        return [spaces[min(number, len(spaces) - 1)] for number in self.namespaces_of(kind)]

    def namespace_text(self, kind: NameKind, number: int) -> str:
        """The text of the namespace that a node, service, action or event lives in."""
        return self.text(NameKind.NAMESPACE, self.namespace_of(kind, number))

    def find(self, kind: NameKind, namespace: int | str, text: str) -> int | None:
        """The number of a name, None where it is not known.

        Args:
            kind: What it names.
            namespace: The namespace it lives in, by number or by text; 0 for kinds that live in none.
            text: The name.
        """
        if isinstance(namespace, str):
            found = self.find(NameKind.NAMESPACE, NO_NAME, namespace) if namespace else NO_NAME
            if found is None:
                return None
            namespace = found
        number = self._book.numbers.get((kind, namespace, text))
        return number if number is not None and number < self._counts[kind] else None

    def error_label(self, number: int) -> str:
        """An error in short: its code and its type, or its name where it has no type; "" for none."""
        return error_label(self.text(NameKind.ERROR, number))


def error_label(text: str) -> str:
    """``409|CONFLICT|MoleculerClientError`` in short: ``409 CONFLICT``."""
    code, _, rest = text.partition("|")
    kind, _, name = rest.partition("|")
    return " ".join(part for part in (code, kind or name) if part)


def error_code(text: str) -> int | None:
    """The code of ``409|CONFLICT|MoleculerClientError``, None where it has none that is a number."""
    code = text.partition("|")[0]
    return int(code) if code.isascii() and code.isdigit() else None
