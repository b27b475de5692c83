"""Text can be read in both themes, and no colour stands alone."""

from __future__ import annotations

import pytest

from app.style_sheet import style_sheet
from app.theme import DARK, LIGHT, Theme, contrast
from app.widgets.controls import SIGNS

THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
SURFACES = ("surface0", "surface1", "surface2")
HEALTH = ("ok", "slow", "failed", "held", "accent")


@THEMES
def test_text_stands_out_from_every_surface(theme: Theme) -> None:
    colours = theme.colours()
    for surface in (*SURFACES, "surface3", "selected"):
        assert contrast(theme.text, colours[surface]) >= 4.5
    for surface in (*SURFACES, "selected"):
        assert contrast(theme.dim, colours[surface]) >= 4.5


@THEMES
def test_health_as_text_stands_out_from_what_it_stands_on(theme: Theme) -> None:
    colours = theme.colours()
    for name in HEALTH:
        for surface in (*SURFACES, "surface3", "selected"):
            assert contrast(theme.ink(colours[name], colours[surface]), colours[surface]) >= 4.5
        tint = theme.tint(colours[name])
        assert contrast(theme.ink(colours[name], tint), tint) >= 4.5


@THEMES
def test_shapes_of_health_stand_out_from_cards(theme: Theme) -> None:
    for name in HEALTH:
        assert contrast(theme.colours()[name], theme.surface2) >= 3.0


@THEMES
def test_the_style_sheet_leaves_no_place_unfilled(theme: Theme) -> None:
    sheet = style_sheet(theme)
    assert "$" not in sheet
    assert "url()" not in sheet


def test_each_health_has_a_sign_beside_its_colour() -> None:
    assert len({SIGNS[name] for name in ("ok", "slow", "failed", "held")}) == 4
