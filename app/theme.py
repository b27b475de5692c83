"""Named colours, fonts, tinted icons, and which theme is in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final, Literal

import qtawesome
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from app.style_sheet import style_sheet

Choice = Literal["dark", "light", "system"]
ENOUGH_CONTRAST: Final = 4.5
BODY_PX, SMALL_PX, TITLE_PX, FIGURE_PX = 13, 11, 16, 18


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours that everything is drawn with, as "#rrggbb".

    Attributes:
        name: "dark" or "light".
        surface0, surface1, surface2, surface3: Canvas, panels, cards, chips.
        line: Borders and grid.
        text, dim: Text, and secondary text.
        accent, selected: Selection, focus and latency curves; background of what is selected.
        ok, slow, failed, held: Health, for shapes. For text on a surface take `ink` of them.
    """

    name: str
    surface0: str
    surface1: str
    surface2: str
    surface3: str
    line: str
    text: str
    dim: str
    accent: str
    selected: str
    ok: str
    slow: str
    failed: str
    held: str

    @property
    def is_dark(self) -> bool:
        """Whether text is brighter than what it stands on."""
        return luminance(self.text) > luminance(self.surface0)

    def ink(self, colour: str, on: str = "") -> str:
        """A colour as text: moved towards the text colour until it can be read on a surface.

        Args:
            colour: One of the theme's colours.
            on: What it stands on; panels and cards alike if left out.
        """
        surfaces = (on,) if on else (self.surface0, self.surface1, self.surface2)
        return _readable(colour, self.text, surfaces)

    def tint(self, colour: str, share: float = 0.16, on: str = "") -> str:
        """A colour as a background: a little of it blended into a surface (panels if left out)."""
        return mix(colour, on or self.surface1, share)

    @property
    def on_accent(self) -> str:
        """Text on the accent colour."""
        return max(("#ffffff", "#0b1017"), key=lambda colour: contrast(colour, self.accent))

    def colours(self) -> Mapping[str, str]:
        """Every colour by its name."""
        return _by_name(self)


DARK: Final = Theme(
    name="dark",
    surface0="#0f1318",
    surface1="#151a21",
    surface2="#1c232c",
    surface3="#26303b",
    line="#2b3540",
    text="#e7ebf0",
    dim="#93a0af",
    accent="#5aa9ff",
    selected="#1f3350",
    ok="#3fb68b",
    slow="#e2b13c",
    failed="#f0625f",
    held="#b48cff",
)
LIGHT: Final = Theme(
    name="light",
    surface0="#f4f6f8",
    surface1="#ffffff",
    surface2="#f0f3f6",
    surface3="#e3e8ee",
    line="#d5dce4",
    text="#18212b",
    dim="#5c6a79",
    accent="#1769c9",
    selected="#dcebfb",
    ok="#1d8a63",
    slow="#a87400",
    failed="#cf3b38",
    held="#7a4fd0",
)


class _InUse:
    theme: Theme = DARK


def current() -> Theme:
    """The theme in use."""
    return _InUse.theme


def use(choice: Choice) -> Theme:
    """Take a theme into use for the whole program, style sheet and palette included.

    Args:
        choice: "system" takes what the desktop prefers; dark where it does not say.
    """
    theme = LIGHT if choice == "light" or (choice == "system" and _system_is_light()) else DARK
    _InUse.theme = theme
    app = QApplication.instance()
    if isinstance(app, QApplication):
        if app.property("isFusion") is None:  # once: it styles everything anew
            app.setStyle("Fusion")
            app.setProperty("isFusion", True)
        app.setPalette(_palette(theme))
        app.setFont(font())
        app.setStyleSheet(style_sheet(theme))
    return theme


def _system_is_light() -> bool:
    hints = QGuiApplication.styleHints()
    return bool(hints.colorScheme().name == "Light")


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, theme.surface1),
        (role.WindowText, theme.text),
        (role.Base, theme.surface1),
        (role.AlternateBase, theme.surface2),
        (role.Text, theme.text),
        (role.Button, theme.surface2),
        (role.ButtonText, theme.text),
        (role.PlaceholderText, theme.dim),
        (role.Highlight, theme.selected),
        (role.HighlightedText, theme.text),
        (role.ToolTipBase, theme.surface3),
        (role.ToolTipText, theme.text),
        (role.Link, theme.ink(theme.accent)),
        (role.Light, theme.surface3),
        (role.Midlight, theme.surface2),
        (role.Mid, theme.line),
        (role.Dark, theme.line),
        (role.Shadow, theme.surface0),
        (role.Accent, theme.accent),
    ):
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(mix(theme.dim, theme.surface1, 0.7)))
    return palette


# fonts


@lru_cache(maxsize=1)
def _family() -> str:
    """The system's font; where a machine without a desktop names none, the best there is for screens."""
    family = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()
    if family not in ("", "Sans", "Sans Serif", "sans-serif", "DejaVu Sans"):
        return family
    installed = set(QFontDatabase.families())
    wanted = ("Inter", "Noto Sans", "Cantarell", "Ubuntu", "Liberation Sans", "DejaVu Sans")
    return next((name for name in wanted if name in installed), family)


@lru_cache(maxsize=1)
def _mono_family() -> str:
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()


def font(size_px: int = BODY_PX, *, bold: bool = False, mono: bool = False) -> QFont:
    """The text font, with figures that line up.

    Args:
        size_px: BODY_PX, SMALL_PX, TITLE_PX or FIGURE_PX.
        bold: In demibold.
        mono: Every letter of equal width.
    """
    made = QFont(_mono_family() if mono else _family())
    made.setPixelSize(size_px)
    if bold:
        made.setWeight(QFont.Weight.DemiBold)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


# icons


def icon(name: str, colour: str = "") -> QIcon:
    """An icon of QtAwesome in a colour of the theme in use.

    Args:
        name: As "mdi6.lock"; "lock" means the same.
        colour: "#rrggbb"; the text colour if left out.
    """
    theme = current()
    tinted: QIcon = qtawesome.icon(
        name if "." in name else f"mdi6.{name}", color=colour or theme.text, color_disabled=theme.dim
    )
    return tinted


# colours


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=4096)
def mix(front: str, back: str, share: float) -> str:
    """A colour between two: share 1 is the front one. Opaque, since translucent pens are slow to paint."""
    return "#" + "".join(
        f"{round(a * share + b * (1 - share)):02x}" for a, b in zip(_channels(front), _channels(back), strict=True)
    )


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it, 0 to 1."""
    parts = [c / 255 for c in _channels(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG defines it, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=8)
def _by_name(theme: Theme) -> Mapping[str, str]:
    return {field.name: getattr(theme, field.name) for field in fields(theme) if field.name != "name"}


@lru_cache(maxsize=512)
def _readable(colour: str, text: str, surfaces: tuple[str, ...]) -> str:
    for step in range(0, 101, 4):
        candidate = mix(text, colour, step / 100)
        if all(contrast(candidate, surface) >= ENOUGH_CONTRAST for surface in surfaces):
            return candidate
    return text
