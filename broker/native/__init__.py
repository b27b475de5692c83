"""What runs for every packet or call, compiled; without it everything works as well, and gives the same, but slower.

Each part has a twin in Python beside those who use it, which says what it
does. The compiled one takes what is ordinary and leaves everything odd to its
twin; tests hold them equal. `make setup` compiles where there is a C
compiler; MESHSCOPE_NATIVE=0 does without.

Attributes:
    compiled: The module, if `IS_COMPILED`.
"""

from __future__ import annotations

import importlib
import logging
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

__all__ = ["IS_COMPILED", "compiled"]


def _load() -> ModuleType | None:
    """The module; None where there is none that may be used."""
    if os.environ.get("MESHSCOPE_NATIVE", "1") == "0":
        return None
    try:
        module = importlib.import_module("broker.native._compiled")
    except ImportError:  # there was no compiler
        return None
    if _is_stale(Path(str(module.__file__))):
        logging.getLogger(__name__).warning("broker/native has changed since it was compiled: run make setup")
        return None
    return module


def _is_stale(made: Path) -> bool:
    """Whether it was made of other sources than those beside it; they change only where somebody works on them."""
    if not (Path(__file__).parents[2] / "hatch_build.py").exists():
        return False
    made_s = made.stat().st_mtime
    return any(source.stat().st_mtime > made_s for source in Path(__file__).parent.glob("*.[ch]"))


_module = _load()
IS_COMPILED: Final[bool] = _module is not None

if TYPE_CHECKING:
    from broker.native import _compiled as compiled
else:
    compiled = _module
