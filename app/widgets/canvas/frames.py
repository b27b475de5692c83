"""Boxes around cards: where they are, what is in them, and how they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.theme import BODY_PX, SMALL_PX
from app.widgets.canvas.card_paint import TEXT_ZOOM, fitted, paint_sign, paint_toggle, scaled_font, snapped
from app.widgets.canvas.colours import Colours
from app.widgets.canvas.items import FRAME_SIDE, FRAME_TOP, HEAD, Card, Frame
from app.widgets.canvas.viewport import Viewport

if TYPE_CHECKING:
    from app.widgets.canvas.scene import Scene

BUTTON: Final = 16.0
LEAST_PX: Final = 10.5


class Frames:
    """The frames of a scene. Each is as large as the cards in it need it to be."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._frames: Mapping[str, Frame] = {}
        self._cards: dict[str, list[str]] = {}
        self._rects: dict[str, QRectF] | None = None

    def show(self, frames: Mapping[str, Frame], cards: Mapping[str, Card]) -> None:
        """Take new ones."""
        self._frames = frames
        self._cards = {key: [] for key in frames}
        for card in cards.values():
            if card.frame in self._cards:
                self._cards[card.frame].append(card.key)
        self.forget()

    def forget(self) -> None:
        """Cards are somewhere else."""
        self._rects = None

    def __contains__(self, key: str) -> bool:
        return key in self._frames

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, key: str) -> Frame:
        return self._frames[key]

    def cards_of(self, key: str) -> list[str]:
        """Keys of the cards in a frame."""
        return self._cards.get(key, [])

    @property
    def rects(self) -> dict[str, QRectF]:
        """Where each frame is whose cards have places."""
        if self._rects is None:
            self._rects = {}
            for key, cards in self._cards.items():
                box = self._scene.bounds([card for card in cards if card in self._scene.at])
                if not box.isEmpty():
                    self._rects[key] = box.adjusted(-FRAME_SIDE, -FRAME_TOP, FRAME_SIDE, FRAME_SIDE)
        return self._rects

    def united(self, box: QRectF) -> QRectF:
        """A rectangle, and all frames."""
        for rect in self.rects.values():
            box = box.united(rect)
        return box

    def at(self, point: QPointF) -> str:
        """The key of the frame whose head lies at a point; "" for none."""
        heads = ((key, QRectF(rect.left(), rect.top(), rect.width(), HEAD)) for key, rect in self.rects.items())
        return next((key for key, head in heads if head.contains(point)), "")

    def button(self, key: str) -> QRectF:
        """Where a frame is closed with the mouse."""
        rect = self.rects[key]
        return QRectF(rect.right() - BUTTON - 9.0, rect.top() + 8.0, BUTTON, BUTTON)


def paint_frame(
    painter: QPainter, scene: Scene, key: str, view: Viewport, colours: Colours, *, ring: QColor | None
) -> None:
    """One frame, under everything else. The painter is in px."""
    box = snapped(view.transform().mapRect(scene.frames.rects[key]))
    radius = 12.0 * min(1.0, view.zoom)
    painter.setPen(QPen(ring or colours.line, 1.5 if ring else 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush if ring else colours.frame)
    painter.drawRoundedRect(box, radius, radius)


def paint_head(painter: QPainter, scene: Scene, key: str, view: Viewport, colours: Colours) -> None:
    """The name of a frame and what closes it, over the wires that pass. The painter is in px."""
    if view.zoom < TEXT_ZOOM:
        return
    box = snapped(view.transform().mapRect(scene.frames.rects[key]))
    _paint_name(painter, scene.frames[key], box, view.zoom, colours)
    paint_toggle(painter, view.transform().mapRect(scene.frames.button(key)), colours, is_open=True)


def _paint_name(painter: QPainter, frame: Frame, box: QRectF, zoom: float, colours: Colours) -> None:
    size = max(LEAST_PX, BODY_PX * zoom)
    left, line = box.left() + 14.0 * zoom, round(box.top() + 21.0 * zoom)
    right = box.right() - (BUTTON + 16.0) * zoom
    if frame.sign:
        left += 17.0 * zoom
    title = fitted(frame.title, size, True, max(0, int(right - left)))
    painter.setFont(scaled_font(size, bold=True))
    wide = QFontMetricsF(painter.font()).horizontalAdvance(title)
    begin = box.left() + 10.0 * zoom
    small = max(9.0, SMALL_PX * zoom)
    after = left + wide + 8.0 * zoom
    detail = fitted(frame.detail, small, False, max(0, int(right - after)))
    detail = detail if detail == frame.detail else ""
    end = after + (QFontMetricsF(scaled_font(small)).horizontalAdvance(detail) if detail else -4.0 * zoom)
    painter.fillRect(QRectF(begin, line - size, end - begin, size * 1.35), colours.frame)
    painter.setPen(colours.text)
    painter.drawText(QPointF(left, line), title)
    paint_sign(painter, frame.sign, QPointF(left - 12.0 * zoom, line - 4.5 * zoom), zoom, colours)
    painter.setFont(scaled_font(small))
    painter.setPen(colours.dim)
    painter.drawText(QPointF(after, line), detail)
