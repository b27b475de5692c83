"""Compiles broker/native: in place when run by itself, into the wheel when one is built. Nothing fails without it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

ROOT = Path(__file__).parent
FOLDER = Path("broker/native")
NAME = "broker.native._compiled"


def compile_in_place() -> Path | None:
    """The compiled module; None where there is no compiler, or no headers of Python."""
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / FOLDER).glob("*.c"))
    headers = sorted(str(path) for path in (ROOT / FOLDER).glob("*.h"))
    # no multiplying and adding in one step: sums are rounded as Python rounds them
    ours = ["-O2", "-fvisibility=hidden", "-ffp-contract=off", "-Wextra", "-Wno-unused-parameter"]
    flags = [] if sys.platform == "win32" else ours
    extension = Extension(NAME, sources, depends=headers, extra_compile_args=flags)
    command = build_ext(Distribution({"name": "meshscope", "ext_modules": [extension], "packages": ["broker"]}))
    command.inplace = True
    command.build_temp = "build/native"
    command.ensure_finalized()
    try:
        command.run()
    except (BaseError, CCompilerError, OSError) as error:
        sys.stderr.write(f"Not compiled, so packets are read several times slower: {error}\n")
        Path(command.get_ext_fullpath(NAME)).unlink(missing_ok=True)  # it was made of other sources
        return None
    return Path(command.get_ext_fullpath(NAME))


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts the compiled module into wheels; a wheel without it is for every platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        if version == "editable":
            return
        compiled = compile_in_place()
        if compiled is not None:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"][str(ROOT / FOLDER / compiled.name)] = str(FOLDER / compiled.name)


if __name__ == "__main__":
    compile_in_place()
