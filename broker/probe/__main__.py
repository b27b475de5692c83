"""``python -m broker.probe``: the probe without the rest of the command line."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from broker.probe.keeping import KEEP_OPTION, store_journal_behind
from broker.probe.main import main

if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    sys.exit(store_journal_behind(Path(sys.argv[2])) if sys.argv[1:2] == [KEEP_OPTION] else main())
