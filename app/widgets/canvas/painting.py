"""The whole picture as a row of small steps, so that it can be painted between two frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QBrush, QColor, QPainter, QPixmap, QTransform

from app.theme import Theme
from app.widgets.canvas.card_paint import TEXT_ZOOM, paint_blocks, paint_card
from app.widgets.canvas.chips import CHIP_ZOOM, Chip, chip_scale, paint_chip
from app.widgets.canvas.colours import Colours, colours_of
from app.widgets.canvas.frames import paint_frame, paint_head
from app.widgets.canvas.items import Wire
from app.widgets.canvas.scene import Scene
from app.widgets.canvas.viewport import Viewport
from app.widgets.canvas.wire_paint import Look, importance, look_of, paint_carefully, paint_fast

Step = Callable[[QPainter], None]
FEW_WIRES = 220
"""Up to here wires are painted with care at once."""
WIRES_A_STEP, CARDS_A_STEP, BLOCKS_A_STEP = 60, 8, 100
GRID_STEP = 32.0


@dataclass(frozen=True, slots=True)
class Brush:
    """With what a picture is painted.

    Attributes:
        theme: Its colours.
        chips: Labels that found room.
        is_smooth: Whether thousands of wires are antialiased too: slower, for a view that rests.
        has_ground: Whether the ground and its grid are painted; not in exports.
    """

    theme: Theme
    chips: dict[str, Chip]
    is_smooth: bool = False
    has_ground: bool = True


def steps(scene: Scene, view: Viewport, brush: Brush, part: QRectF | None = None) -> Iterator[Step]:
    """What paints a scene, in order.

    Args:
        scene: Must not change before the last step is taken.
        view: Where it is looked at from.
        brush: How.
        part: Only what meets this rectangle of the plane; everything seen if left out. The
            painter has to be clipped to it.
    """
    seen = view.rect if part is None else part
    colours = colours_of(brush.theme)
    if brush.has_ground:
        yield lambda painter: _paint_ground(painter, view, colours)
    yield from _frame_steps(scene, view, colours, seen, is_head=False)
    wires = [scene.wires[key] for key in scene.wires_in(seen)]
    if len(wires) <= FEW_WIRES:
        yield from _careful_steps(scene, view, brush, wires)
    else:
        yield from _fast_steps(scene, view, brush, wires)
    yield from _frame_steps(scene, view, colours, seen, is_head=True)
    yield from _card_steps(scene, view, brush, scene.cards_in(seen))
    if view.zoom >= CHIP_ZOOM:
        yield from _chip_steps(scene, view, brush, wires)


def _frame_steps(scene: Scene, view: Viewport, colours: Colours, seen: QRectF, *, is_head: bool) -> Iterator[Step]:
    keys = [key for key, rect in scene.frames.rects.items() if rect.intersects(seen)]

    def paint(painter: QPainter, some: Sequence[str]) -> None:
        _in_px(painter)
        for key in some:
            if is_head:
                paint_head(painter, scene, key, view, colours)
            else:
                paint_frame(painter, scene, key, view, colours, ring=None)

    for begin in range(0, len(keys), CARDS_A_STEP):
        yield lambda painter, some=keys[begin : begin + CARDS_A_STEP]: paint(painter, some)  # type: ignore[misc]


def is_crowded(scene: Scene, view: Viewport) -> bool:
    """Whether what is seen has so many wires that they are painted fast first."""
    return len(scene.wires) > FEW_WIRES and len(scene.wires_in(view.rect)) > FEW_WIRES


def _paint_ground(painter: QPainter, view: Viewport, colours: Colours) -> None:
    painter.resetTransform()
    painter.fillRect(QRectF(0, 0, view.width, view.height), colours.ground)
    size = GRID_STEP * view.zoom
    while size < 20.0:
        size *= 2
    origin = view.to_screen(0, 0)
    tile = _grid_tile(round(size), colours)
    painter.drawTiledPixmap(
        QRectF(0, 0, view.width, view.height), tile, QPointF(-origin.x() % tile.width(), -origin.y() % tile.width())
    )


_tiles: dict[tuple[int, str], QPixmap] = {}


def _grid_tile(size: int, colours: Colours) -> QPixmap:
    """A tile of the ground with one point in it."""
    key = (size, colours.ground.name())
    if key not in _tiles:
        if len(_tiles) > 200:
            _tiles.clear()
        tile = QPixmap(size, size)
        tile.fill(colours.ground)
        painter = QPainter(tile)
        painter.fillRect(0, 0, 1, 1, QBrush(colours.grid))
        painter.end()
        _tiles[key] = tile
    return _tiles[key]


def _in_plane(painter: QPainter, view: Viewport, *, is_smooth: bool) -> None:
    painter.setTransform(view.transform())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, is_smooth)


def _in_px(painter: QPainter) -> None:
    painter.setTransform(QTransform())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def _careful_steps(scene: Scene, view: Viewport, brush: Brush, wires: Sequence[Wire]) -> Iterator[Step]:
    faded = scene.faded
    order = sorted(wires, key=lambda wire: (wire.key not in faded, importance(look_of(wire))))

    def paint(painter: QPainter, some: Sequence[Wire]) -> None:
        _in_plane(painter, view, is_smooth=True)
        for wire in some:
            colours = colours_of(brush.theme, is_faded=wire.key in faded)
            paint_carefully(painter, wire, scene.routes[wire.key], view, colours)

    for begin in range(0, len(order), 12):
        yield lambda painter, some=order[begin : begin + 12]: paint(painter, some)  # type: ignore[misc]


def _fast_steps(scene: Scene, view: Viewport, brush: Brush, wires: Sequence[Wire]) -> Iterator[Step]:
    groups: dict[tuple[bool, Look], list[Wire]] = defaultdict(list)
    for wire in wires:
        groups[wire.key not in scene.faded, look_of(wire)].append(wire)

    def paint(painter: QPainter, some: Sequence[Wire], look: Look, colours: Colours) -> None:
        _in_plane(painter, view, is_smooth=brush.is_smooth)
        routes = scene.routes
        paint_fast(painter, [routes[wire.key] for wire in some], look, colours)

    for is_meant, look in sorted(groups, key=lambda group: (group[0], importance(group[1]), group[1])):
        group = groups[is_meant, look]
        colours = colours_of(brush.theme, is_faded=not is_meant)
        for begin in range(0, len(group), WIRES_A_STEP):
            some = group[begin : begin + WIRES_A_STEP]
            yield lambda painter, some=some, look=look, colours=colours: paint(painter, some, look, colours)  # type: ignore[misc]


def _card_steps(scene: Scene, view: Viewport, brush: Brush, keys: Sequence[str]) -> Iterator[Step]:
    if view.zoom < TEXT_ZOOM:
        # what was found is painted last, lest others cover its line; and what needs a look never under what is fine
        found, faded = scene.found, scene.faded
        order = sorted(
            keys, key=lambda key: (key in found, key not in faded, scene.cards[key].tone in ("slow", "failed"))
        )
        for begin in range(0, len(order), BLOCKS_A_STEP):
            yield lambda painter, some=order[begin : begin + BLOCKS_A_STEP]: _paint_blocks(  # type: ignore[misc]
                painter, scene, view, brush, some
            )
        return
    transform = view.transform()
    accent = colours_of(brush.theme).accent

    def paint(painter: QPainter, some: Sequence[str]) -> None:
        _in_px(painter)
        for key in some:
            colours = colours_of(brush.theme, is_faded=key in scene.faded)
            rect = transform.mapRect(scene.rect_of(key))
            ring = accent if key in scene.found else None
            paint_card(painter, scene.cards[key], rect, view.zoom, colours, is_selected=False, ring=ring)

    for begin in range(0, len(keys), CARDS_A_STEP):
        yield lambda painter, some=keys[begin : begin + CARDS_A_STEP]: paint(painter, some)  # type: ignore[misc]


def _paint_blocks(painter: QPainter, scene: Scene, view: Viewport, brush: Brush, keys: Sequence[str]) -> None:
    _in_px(painter)
    wide, high = scene.width * view.zoom, scene.height * view.zoom
    left, top = view.origin[0] - wide / 2, view.origin[1] - high / 2
    ring: dict[str, QColor] = dict.fromkeys(scene.found, colours_of(brush.theme).accent)
    for is_faded in (True, False):
        some = [key for key in keys if (key in scene.faded) is is_faded]
        places = [scene.at[key] for key in some]
        blocks = [(x * view.zoom + left, y * view.zoom + top, wide, high) for x, y in places]
        cards = list(zip([scene.cards[key] for key in some], blocks, strict=True))
        paint_blocks(painter, cards, colours_of(brush.theme, is_faded=is_faded), ring=ring)


def _chip_steps(scene: Scene, view: Viewport, brush: Brush, wires: Sequence[Wire]) -> Iterator[Step]:
    shown = [wire for wire in wires if wire.key in brush.chips and wire.key not in scene.faded]

    def paint(painter: QPainter, some: Sequence[Wire]) -> None:
        _in_px(painter)
        colours = colours_of(brush.theme)
        for wire in some:
            chip = brush.chips[wire.key]
            paint_chip(painter, wire, chip.text, view.to_screen(chip.x, chip.y), chip_scale(view.zoom), colours)

    for begin in range(0, len(shown), 12):
        yield lambda painter, some=shown[begin : begin + 12]: paint(painter, some)  # type: ignore[misc]
