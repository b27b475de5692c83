"""The whole graph as a file, not only what is on screen: SVG, PNG, DOT, JSON."""

from __future__ import annotations

import math
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


def png(scene: Scene, theme: Theme) -> bytes:
    """A picture at twice the size; smaller where that would have more than 64 million pixels.

    Raises:
        OSError: There is no memory for it.
    """
    view = _whole(scene, PNG_ZOOM)
    pixels = view.width * view.height
    if pixels > MOST_PIXELS:
        view = _whole(scene, PNG_ZOOM * math.sqrt(MOST_PIXELS / pixels))
    image = QImage(view.width, view.height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    _paint(painter, scene, view, theme)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    if not writer.write(image):
        raise OSError(f"the picture of {view.width} x {view.height} px cannot be made: {writer.errorString()}")
    return bytes(buffer.data().data())


def path_from_dialog(parent: QWidget, kind: str) -> Path | None:
    """Ask where a file of a kind shall be written; None when nobody wants it any more."""
    name, _ = QFileDialog.getSaveFileName(parent, "Export the whole graph", f"graph.{kind}", f"*.{kind}")
    path = Path(name)
    return (path if path.suffix else path.with_suffix(f".{kind}")) if name else None


def write(path: Path, scene: Scene, topology: Topology, theme: Theme) -> None:
    """Write the whole graph; its ending says how.

    Raises:
        ValueError: The ending is none of `FORMATS`.
        OSError: The file cannot be written.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind == "svg":
        path.write_bytes(svg(scene, theme))
    elif kind == "png":
        path.write_bytes(png(scene, theme))
    elif kind == "dot":
        path.write_text(export.dot(topology), "utf-8")
    elif kind == "json":
        path.write_text(export.json(topology), "utf-8")
    else:
        raise ValueError(f"a graph cannot be written as '{path.name}', expected .svg, .png, .dot or .json")
