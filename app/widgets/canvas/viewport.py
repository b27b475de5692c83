"""Which part of the plane is on screen, and how large."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTransform

LEAST_ZOOM, MOST_ZOOM = 0.004, 4.0


@dataclass(frozen=True, slots=True)
class Viewport:
    """A window on the plane.

    Attributes:
        width, height: Of the screen, in px.
        x, y: The point of the plane in its middle.
        zoom: px a unit of the plane.
    """

    width: int = 1
    height: int = 1
    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0

    def transform(self) -> QTransform:
        """From the plane to the screen."""
        return QTransform(self.zoom, 0, 0, self.zoom, *self.origin)

    @property
    def origin(self) -> tuple[float, float]:
        """Where the point (0, 0) of the plane is, in px."""
        return self.width / 2 - self.x * self.zoom, self.height / 2 - self.y * self.zoom

    def to_screen(self, x: float, y: float) -> QPointF:
        """A point of the plane in px."""
        return QPointF((x - self.x) * self.zoom + self.width / 2, (y - self.y) * self.zoom + self.height / 2)

    def to_plane(self, point: QPointF) -> QPointF:
        """A point in px on the plane."""
        return QPointF(
            (point.x() - self.width / 2) / self.zoom + self.x, (point.y() - self.height / 2) / self.zoom + self.y
        )

    @property
    def rect(self) -> QRectF:
        """What is seen, on the plane."""
        wide, high = self.width / self.zoom, self.height / self.zoom
        return QRectF(self.x - wide / 2, self.y - high / 2, wide, high)

    def sized(self, width: int, height: int) -> Viewport:
        """The same middle on another screen."""
        return replace(self, width=max(1, width), height=max(1, height))

    def moved(self, dx: float, dy: float) -> Viewport:
        """Pulled by so many px."""
        return replace(self, x=self.x - dx / self.zoom, y=self.y - dy / self.zoom)

    def centred(self, x: float, y: float) -> Viewport:
        """Another point in the middle."""
        return replace(self, x=x, y=y)

    def zoomed(self, factor: float, at: QPointF) -> Viewport:
        """Larger or smaller, with what is at a point of the screen staying there."""
        zoom = min(MOST_ZOOM, max(LEAST_ZOOM, self.zoom * factor))
        fixed = self.to_plane(at)
        away_x, away_y = (at.x() - self.width / 2) / zoom, (at.y() - self.height / 2) / zoom
        return replace(self, zoom=zoom, x=fixed.x() - away_x, y=fixed.y() - away_y)

    def fitted(self, rect: QRectF, *, margin: int = 40, below: int = 0, most_zoom: float = MOST_ZOOM) -> Viewport:
        """All of a rectangle, as large as it goes.

        Args:
            rect: On the plane.
            margin: px left free around it.
            below: px left free below that.
            most_zoom: Small things are not blown up beyond this.
        """
        wide, high = max(1, self.width - 2 * margin), max(1, self.height - 2 * margin - below)
        zoom = min(wide / max(1.0, rect.width()), high / max(1.0, rect.height()), most_zoom)
        zoom = min(MOST_ZOOM, max(LEAST_ZOOM, zoom))
        return replace(self, zoom=zoom, x=rect.center().x(), y=rect.center().y() + below / 2 / zoom)

    def mapping_from(self, other: Viewport) -> QTransform:
        """From the px of another viewport to the px of this one."""
        return other.transform().inverted()[0] * self.transform()
