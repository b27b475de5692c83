"""What runs for every packet, compiled; without it everything works as well, and gives the same, several times slower.

Each part has a twin in Python beside those who use it, which says what it
does. The compiled one takes what is ordinary and leaves everything odd to its
twin; tests hold them equal. `make setup` compiles where there is a C
compiler; MESHSCOPE_NATIVE=0 does without.

Attributes:
    compiled: The module, if `IS_COMPILED`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from broker.native import _compiled as compiled
else:
    compiled = None
    if os.environ.get("MESHSCOPE_NATIVE", "1") != "0":
        try:
            from broker.native import _compiled as compiled
        except ImportError:  # there was no compiler
            compiled = None

__all__ = ["IS_COMPILED", "compiled"]

IS_COMPILED: Final[bool] = bool(compiled)
