"""The one style sheet, filled with the colours of a theme.

Widgets choose a look by the dynamic property ``role``; see `ROLES`.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING, Final

from app.shipped import path

if TYPE_CHECKING:
    from app.theme import Theme

ROLES: Final = (
    "title",  # label: heading of a panel
    "hero",  # label: the program's name on its first page
    "section",  # label: small capitals above a part
    "dim",
    "small",
    "figure",  # label: a big number
    "figureSmall",
    "panel",  # frame: surface with a line around it
    "card",  # frame: one of several things on a panel
    "well",  # frame: something set apart on a panel, on the canvas colour
    "confirm",  # frame: of a dialog that asks before it acts; its edge has the tone
    "chip",  # button or label: a small fact that can be clicked
    "primary",  # button: what a dialog is for
    "danger",  # button: what a dialog is for, where it hits others
    "flat",  # button: an icon in a bar
    "segment",  # button: one of a few choices beside each other
    "verdict",  # label: how it went, in a word
    "rail",  # button: a view in the rail
    "code",  # text: of equal widths, on the canvas colour
)

_SHEET: Final = Template("""
* { outline: 0; }
QMainWindow, QDialog, #page { background: $surface0; }
QMainWindow::separator { background: $line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $accent; }
QToolTip { background: $surface3; color: $text; border: 1px solid $line; padding: 4px 6px; }

#bar { background: $surface1; border: 0; border-bottom: 1px solid $line; }
#rail { background: $surface1; border: 0; border-right: 1px solid $line; }
#side { background: $surface1; border: 0; border-left: 1px solid $line; }
#strip { background: $surface1; border: 0; border-top: 1px solid $line; }
#status { background: $surface2; border: 0; border-top: 1px solid $line; }
#status QLabel { color: $dim; font-size: 11px; background: transparent; }
#program { font-weight: 700; }

QLabel { background: transparent; }
QLabel[role="title"] { font-size: 16px; font-weight: 600; }
QLabel[role="hero"] { font-size: 24px; font-weight: 700; }
QLabel[role="section"] { color: $dim; font-size: 11px; font-weight: 600; letter-spacing: 0.5px; }
QLabel[role="dim"] { color: $dim; }
QLabel[weight="bold"] { font-weight: 600; }
QLabel[role="small"] { color: $dim; font-size: 11px; }
QLabel[role="figure"] { font-size: 18px; font-weight: 600; }
QLabel[role="figureSmall"] { font-size: 16px; font-weight: 600; }
QLabel[role="figureSmall"][fit="tight"] { font-size: 12px; }
QLabel[role="chip"] { background: $surface3; border-radius: 10px; padding: 3px 10px; font-size: 12px; }
QLabel[tone="ok"] { color: $ok_ink; } QLabel[tone="slow"] { color: $slow_ink; }
QLabel[tone="failed"] { color: $failed_ink; } QLabel[tone="held"] { color: $held_ink; }
QLabel[tone="dim"] { color: $dim; }
QLabel[role="chip"][tone="ok"] { background: $ok_tint; }
QLabel[role="chip"][tone="slow"] { background: $slow_tint; }
QLabel[role="chip"][tone="failed"] { background: $failed_tint; border: 1px solid $failed_line; }
QLabel[role="chip"][tone="held"] { background: $held_tint; }

QFrame[role="panel"] { background: $surface1; border: 1px solid $line; border-radius: 8px; }
QFrame[role="card"] { background: $surface2; border: 0; border-radius: 8px; }
QFrame[role="well"] { background: $surface0; border: 0; border-radius: 6px; }
QFrame[role="confirm"] { background: $surface1; border: 2px solid $accent; }
QFrame[role="confirm"][tone="held"] { border-color: $held; }
QFrame[role="confirm"][tone="failed"] { border-color: $failed; }
QFrame[role="confirm"][tone="slow"] { border-color: $slow; }
QFrame[role="line"] { background: $line; border: 0; max-height: 1px; min-height: 1px; }

QPushButton, QToolButton {
    background: $surface2; color: $text; border: 1px solid $line; border-radius: 6px; padding: 5px 12px;
}
QPushButton:hover, QToolButton:hover { background: $surface3; }
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked { background: $selected; }
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $faint; background: $surface1; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: none; width: 0; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[role="primary"]:hover { background: $accent_hover; }
QPushButton[role="primary"]:focus { border-color: $text; }
QPushButton[role="primary"]:disabled { background: $surface3; color: $faint; border-color: $line; }
QPushButton[role="danger"] {
    background: $failed_fill; color: $on_failed; border-color: $failed_fill; font-weight: 600;
}
QPushButton[role="danger"]:hover { border-color: $text; }
QPushButton[role="danger"]:focus { border-color: $text; }
QPushButton[role="danger"]:disabled { background: $surface3; color: $faint; border-color: $line; }
QPushButton[role="flat"], QToolButton[role="flat"] { background: transparent; border-color: transparent; padding: 4px; }
QPushButton[role="flat"]:hover, QToolButton[role="flat"]:hover { background: $surface3; }
QPushButton[role="flat"]:focus, QToolButton[role="flat"]:focus { border-color: $accent; }
QPushButton[role="chip"], QToolButton[role="chip"] {
    background: $surface3; border: 1px solid transparent; border-radius: 11px; padding: 3px 10px; font-size: 12px;
}
QPushButton[role="chip"]:checked { background: $selected; border-color: $accent; }
QPushButton[role="chip"]:hover { border-color: $dim; }
QPushButton[role="chip"]:focus { border-color: $accent; }
QPushButton[role="chip"][tone="ok"] { background: $ok_tint; color: $ok_ink; }
QPushButton[role="chip"][tone="slow"] {
    background: $slow_tint; color: $slow_ink; border-color: $slow; font-weight: 600;
}
QPushButton[role="chip"][tone="failed"] {
    background: $failed_tint; color: $failed_ink; border-color: $failed_line; font-weight: 600;
}
QPushButton[role="chip"][tone="held"] {
    background: $held_tint; color: $held_ink; border-color: $held; font-weight: 600;
}
QPushButton[role="segment"] {
    background: transparent; border: 1px solid $line; border-radius: 6px; padding: 3px 10px; font-size: 12px;
}
QPushButton[role="segment"]:checked { background: $selected; border-color: $accent; font-weight: 600; }
QPushButton[role="segment"]:hover:!checked { background: $surface2; }
QPushButton[role="segment"]:focus { border-color: $text; }
QPushButton[role="rail"] {
    background: transparent; color: $dim; border: 1px solid transparent; border-radius: 6px;
    text-align: left; padding: 6px 10px;
}
QPushButton[role="rail"]:hover { background: $surface2; color: $text; }
QPushButton[role="rail"]:checked { background: $selected; color: $text; font-weight: 600; }
QPushButton[role="rail"]:focus { border-color: $accent; }
QPushButton[role="link"] {
    background: transparent; border: 1px solid transparent; color: $accent_ink; padding: 2px 4px; text-align: left;
}
QPushButton[role="link"]:focus { border-color: $accent; }
QPushButton[role="row"] {
    background: $surface1; border: 1px solid $line; border-radius: 8px; text-align: left; padding: 10px 14px;
}
QPushButton[role="row"][tone="failed"] { border-color: $failed_line; border-left: 3px solid $failed; }
QPushButton[role="row"]:hover { background: $surface2; }
QPushButton[role="row"]:focus { border-color: $accent; }

QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QComboBox {
    background: $surface0; color: $text; border: 1px solid $line; border-radius: 6px; padding: 5px 8px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QComboBox:focus { border-color: $accent; }
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled { color: $faint; }
QLineEdit[state="right"] { border-color: $ok; }
QLineEdit[state="wrong"], QPlainTextEdit[state="wrong"] { border-color: $failed; }
QLineEdit[state="variable"], QPlainTextEdit[state="variable"] { color: $variable_ink; }
QPlainTextEdit[role="code"], QTextEdit[role="code"] { font-family: monospace; font-size: 12px; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: url($arrow); width: 10px; height: 10px; }
QComboBox QAbstractItemView { background: $surface2; border: 1px solid $line; selection-background-color: $selected; }
QCheckBox, QRadioButton { spacing: 8px; background: transparent; }
QCheckBox:focus, QRadioButton:focus { color: $accent_ink; }
QCheckBox::indicator, QRadioButton::indicator {
    width: 14px; height: 14px; border: 1px solid $dim; background: $surface0;
}
QCheckBox::indicator { border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url($check); }
QRadioButton::indicator:checked { border: 4px solid $accent; width: 8px; height: 8px; background: $on_accent; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border-color: $accent; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: $line; }
QMenu::indicator { width: 12px; height: 12px; margin-left: 6px; border-radius: 3px; border: 1px solid $dim; }
QMenu::indicator:checked { background: $accent; border-color: $accent; image: url($check); }
QSpinBox::up-button, QSpinBox::down-button { width: 0; border: 0; }

QMenu { background: $surface2; color: $text; border: 1px solid $line; border-radius: 8px; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 10px; border-radius: 4px; }
QMenu::item:selected { background: $selected; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }

QTableView, QTreeView, QListView, QListWidget {
    background: $surface1; alternate-background-color: $surface1; color: $text; border: 0; gridline-color: $line;
    selection-background-color: $selected; selection-color: $text;
}
QTableView::item { border-bottom: 1px solid $hairline; padding: 0 8px; }
QTableView::item:selected, QListView::item:selected, QTreeView::item:selected {
    background: $selected; color: $text;
}
QTableView:focus, QListView:focus, QTreeView:focus { border: 0; }
QListView::item, QListWidget::item { padding: 5px 8px; border-radius: 4px; }
QListView::item:hover, QTableView::item:hover:!selected { background: $surface2; }
QHeaderView { background: $surface1; border: 0; }
QHeaderView::section {
    background: $surface1; color: $dim; border: 0; border-bottom: 1px solid $line; padding: 6px 10px; font-size: 11px;
}
QHeaderView::section:hover { color: $text; }
QHeaderView::up-arrow { image: url($arrow_up); width: 9px; height: 9px; }
QHeaderView::down-arrow { image: url($arrow); width: 9px; height: 9px; }
QAbstractScrollArea::corner { background: transparent; border: 0; }
QTableCornerButton::section { background: $surface1; border: 0; }

QTabBar { background: transparent; }
QTabBar::tab {
    background: transparent; color: $dim; border: 0; border-bottom: 2px solid transparent; padding: 6px 12px;
}
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:focus { color: $accent_ink; }
QTabWidget::pane { border: 0; }
QDockWidget { color: $dim; font-size: 11px; }
QDockWidget::title { background: $surface1; padding: 6px 12px; border-bottom: 1px solid $line; }
QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; } QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: $accent; }
QScrollArea { background: transparent; border: 0; }
QScrollArea > QWidget > QWidget { background: transparent; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $handle; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 28px; } QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $dim; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; border: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar { background: $surface3; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }

#banner { background: $failed_tint; border: 0; border-bottom: 1px solid $failed_line; }
#banner[tone="ok"] { background: $ok_tint; border-bottom-color: $ok; }
#banner[tone="slow"] { background: $slow_tint; border-bottom-color: $slow; }
#pausedEdge { background: $slow; }
#pausedBar { background: $slow_tint; border: 0; border-bottom: 1px solid $slow; }
#pausedBar QLabel { color: $slow_ink; font-weight: 600; }
#palette { background: $surface1; border: 1px solid $line; border-radius: 8px; }
#findList { background: $surface2; border: 1px solid $line; border-radius: 8px; padding: 3px; }
QTreeView[role="code"] { background: $surface0; border: 1px solid $line; border-radius: 6px; padding: 4px; }
QTreeView[role="code"]:focus { border: 1px solid $accent; }
QLabel[role="verdict"] { font-size: 16px; font-weight: 700; }
#readout { background: $surface3; border: 1px solid $line; border-radius: 6px; padding: 6px 8px; }
""")


def style_sheet(theme: Theme) -> str:
    """The style sheet in the colours of a theme."""
    from app.theme import contrast, mix  # noqa: PLC0415  the theme imports this file

    extra = {
        "accent_ink": theme.ink(theme.accent),
        "accent_hover": mix(theme.text, theme.accent, 0.12),
        "on_accent": theme.on_accent,
        "variable_ink": theme.ink(theme.held, theme.surface0),
        "failed_fill": theme.failed,
        "on_failed": max(("#ffffff", "#0b1017"), key=lambda colour: contrast(colour, theme.failed)),
        "faint": mix(theme.dim, theme.surface1, 0.7),
        "handle": mix(theme.dim, theme.surface1, 0.45),
        "hairline": mix(theme.line, theme.surface1, 0.6),
        "arrow": path(f"icons/chevron-{theme.name}.svg").as_posix(),
        "arrow_up": path(f"icons/chevron-up-{theme.name}.svg").as_posix(),
        "check": path(f"icons/check-{theme.name}.svg").as_posix(),
    }
    for health in ("ok", "slow", "failed", "held"):
        colour = theme.colours()[health]
        tint = theme.tint(colour)
        extra[f"{health}_tint"] = tint
        extra[f"{health}_ink"] = theme.ink(colour, tint)
        extra[f"{health}_line"] = theme.tint(colour, 0.55)
    return _SHEET.substitute({**theme.colours(), **extra})
