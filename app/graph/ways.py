"""The way between two cards: which two, which ways, and the line that tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.graph.path_bar import PathBar
from app.graph.question import PathWish
from app.widgets.canvas.canvas import GraphCanvas
from broker.mesh.paths import Paths


class Ways:
    """Takes two cards, asks for the way between them, and ends it.

    Attributes:
        bar: Tells of the way; shown by whoever owns it.
        wish: What is looked for; None for nothing.
    """

    def __init__(
        self, canvas: GraphCanvas, ask: Callable[[PathWish | None], None], choose: Callable[[str], None],
        hint: Callable[[str], None],
    ) -> None:  # fmt: skip
        """
        Args:
            canvas: Where cards are chosen and marked.
            ask: Looks for a way; for None the graph shows everything alike.
            choose: Selects a card everywhere.
            hint: Says what to do next; "" for nothing.
        """
        self.bar = PathBar()
        self.wish: PathWish | None = None
        self._canvas, self._ask, self._choose, self._hint = canvas, ask, choose, hint
        self.bar.closed.connect(self.end)
        self.bar.shows_all_picked.connect(self._pick_all)
        self.bar.swapped.connect(self._swap)

    def choose_other(self, key: str) -> None:
        """The other end of a way: from the selected card, or, when that is itself, the beginning of one."""
        canvas = self._canvas
        begin = canvas.other if key == canvas.selected else canvas.selected
        if begin not in canvas.scene.cards or begin == key:
            if key in canvas.scene.cards:
                canvas.choose_other(key)
                self._hint(f"Path from {canvas.scene.cards[key].title}: select another card and press P.")
            return
        self._hint("")
        canvas.choose_other(begin)
        canvas.select(key)
        self._choose(key)
        self.bar.begin()
        self.wish = PathWish(begin, key)
        self.say(None)
        self._ask(self.wish)

    def say(self, found: Paths | None) -> None:
        """Tell of the ways that were found; None while they are looked for."""
        wish, cards = self.wish, self._canvas.scene.cards
        if wish is not None and wish.source in cards and wish.target in cards:
            self.bar.say(cards[wish.source].title, cards[wish.target].title, found)

    def end(self) -> bool:
        """Show everything alike again; whether there was anything to end."""
        wish, begun = self.wish, bool(self._canvas.other)
        self.wish = None
        self._canvas.choose_other("")
        self.bar.hide()
        if begun:
            self._hint("")
        if wish is not None:
            self._ask(None)
        return begun or wish is not None

    def _swap(self) -> None:
        """The way back."""
        if self.wish is not None:
            self.wish = replace(self.wish, source=self.wish.target, target=self.wish.source)
            self.say(None)
            self._ask(self.wish)

    def _pick_all(self, shows_all: bool) -> None:
        if self.wish is not None and self.wish.shows_all is not shows_all:
            self.wish = replace(self.wish, shows_all=shows_all)
            self._ask(self.wish)
