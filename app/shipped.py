"""Where files are that come with the program: icons, and the helper for MoleculerJS."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "resources", _HERE.parent / "resources")
"""In an installed package, and in the repository."""


def path(name: str) -> Path:
    """Where a file is, as "icons/meshscope.svg"; in the first folder when it is nowhere."""
    return next((folder / name for folder in _FOLDERS if (folder / name).exists()), _FOLDERS[0] / name)
