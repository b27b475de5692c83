"""``make interop``: every check in every column, as one table.

``make interop INTEROP_ARGS='--column "0.15 JSON" --check stream'`` prints a part of it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.interop.columns import COLUMNS, Column
from tests.interop.mesh import mesh_of
from tests.interop.table import CHECKS, FAILED, OK, render

PATIENCE_S = 120.0


async def results_of(column: Column, folder: Path, wanted: str) -> dict[str, str]:
    """Run the checks of one column; what fails is told at once, with its reason."""
    results: dict[str, str] = {}
    async with mesh_of(column, folder) as mesh:
        for title, check in CHECKS.items():
            if not check.applies(column) or wanted not in title:
                continue
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await check.run(mesh)
            except Exception as error:  # noqa: BLE001 - a row that fails is a result
                results[title] = FAILED
                sys.stderr.write(f"{column.name}: {title}: {type(error).__name__}: {error}\n")
            else:
                results[title] = OK
    return results


def main() -> int:
    """Print the table. Returns 1 where something does not hold."""
    arguments = argparse.ArgumentParser(prog="make interop")
    arguments.add_argument("--column", default="", help="only columns whose name holds this")
    arguments.add_argument("--check", default="", help="only rows whose title holds this")
    wanted = arguments.parse_args()
    columns = [column for column in COLUMNS if wanted.column in column.name]
    results = {}
    for column in columns:
        sys.stderr.write(f"{column.name} …\n")
        with tempfile.TemporaryDirectory() as folder:
            try:
                results[column] = asyncio.run(results_of(column, Path(folder), wanted.check))
            except Exception as error:  # noqa: BLE001 - a mesh that does not come to be is a result, too
                results[column] = {title: FAILED for title, check in CHECKS.items() if check.applies(column)}
                sys.stderr.write(f"{column.name}: {type(error).__name__}: {error}\n")
    sys.stdout.write(render(results, columns) + "\n")
    return int(any(FAILED in each.values() for each in results.values()))


if __name__ == "__main__":
    sys.exit(main())
