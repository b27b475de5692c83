"""``python -m broker.probe``: the probe without the rest of the command line."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from broker.operate import log_masks
from broker.probe.main import main
from broker.probe.options import KEEP_OPTION


def run(arguments: list[str]) -> int:
    """Be the probe, or keep a journal. The exit code."""
    log_masks.install()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if arguments[:1] != [KEEP_OPTION]:
        return main()
    from broker.probe.keeping import store_journal_behind  # noqa: PLC0415  a probe does not wait for it

    return store_journal_behind(Path(arguments[1]))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
