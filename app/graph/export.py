"""The whole graph as a file, not only what is on screen: SVG, PNG, DOT, JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QWidget

from app.theme import Theme
from app.widgets.canvas.chips import place_chips
from app.widgets.canvas.painting import Brush, steps
from app.widgets.canvas.scene import Scene
from app.widgets.canvas.viewport import Viewport
from broker.mesh import export
from broker.mesh.answers import Topology

FORMATS: Final = ("svg", "png", "dot", "json")
MARGIN: Final = 40
MOST_PIXELS: Final = 64_000_000
PNG_ZOOM: Final = 2.0


def _whole(scene: Scene, zoom: float) -> Viewport:
    box = scene.bounds().adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
    middle = box.center()
    size = QSize(max(1, math.ceil(box.width() * zoom)), max(1, math.ceil(box.height() * zoom)))
    return Viewport(size.width(), size.height(), middle.x(), middle.y(), zoom)


def _paint(painter: QPainter, scene: Scene, view: Viewport, theme: Theme) -> None:
    painter.fillRect(QRectF(0, 0, view.width, view.height), QColor(theme.surface0))
    chips = place_chips(scene, scene.wires.values()) if not scene.is_crowded else {}
    for step in steps(scene, view, Brush(theme, chips, is_smooth=True, has_ground=False)):
        step(painter)


def svg(scene: Scene, theme: Theme, title: str = "Graph") -> bytes:
    """A drawing that can be scaled; 1 unit is a px."""
    view = _whole(scene, 1.0)
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setTitle(title)
    generator.setSize(QSize(view.width, view.height))
    generator.setViewBox(QRectF(0, 0, view.width, view.height))
    generator.setResolution(96)
    painter = QPainter(generator)
    _paint(painter, scene, view, theme)
    painter.end()
    buffer.close()
    return bytes(content.data())


def picture(scene: Scene, theme: Theme) -> QImage:
    """A picture at twice the size; smaller where that would have more than 64 million pixels."""
    view = _whole(scene, PNG_ZOOM)
    pixels = view.width * view.height
    if pixels > MOST_PIXELS:
        view = _whole(scene, PNG_ZOOM * math.sqrt(MOST_PIXELS / pixels))
    image = QImage(view.width, view.height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    _paint(painter, scene, view, theme)
    painter.end()
    return image


def png(image: QImage) -> bytes:
    """A picture packed; in any thread.

    Raises:
        OSError: There was no memory for it.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    if not writer.write(image):
        size = f"{image.width()} x {image.height()}"
        raise OSError(f"the picture of {size} px cannot be made: {writer.errorString()}")
    return bytes(buffer.data().data())


def path_from_dialog(parent: QWidget, kind: str) -> Path | None:
    """Ask where a file of a kind shall be written; None when nobody wants it any more."""
    name, _ = QFileDialog.getSaveFileName(parent, "Export the whole graph", f"graph.{kind}", f"*.{kind}")
    path = Path(name)
    return (path if path.suffix else path.with_suffix(f".{kind}")) if name else None


def prepare(path: Path, scene: Scene, topology: Topology, theme: Theme) -> Callable[[], object]:
    """Paint what has to be painted, on the GUI thread; what is given back writes the whole graph, in another one.

    Args:
        path: Its ending says how.
        scene: What is painted.
        topology: What is told in words.
        theme: Of the picture.

    Raises:
        ValueError: The ending is none of `FORMATS`. What is given back raises OSError.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind == "svg":
        return partial(path.write_bytes, svg(scene, theme))
    if kind == "png":
        image = picture(scene, theme)
        return lambda: path.write_bytes(png(image))
    if kind == "dot":
        return lambda: path.write_bytes(export.dot(topology).encode())
    if kind == "json":
        return lambda: path.write_bytes(export.json(topology).encode())
    raise ValueError(f"a graph cannot be written as '{path.name}', expected .svg, .png, .dot or .json")
