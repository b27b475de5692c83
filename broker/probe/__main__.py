"""``python -m broker.probe``: the probe without the rest of the command line."""

from __future__ import annotations

import logging
import sys

from broker.probe.main import main

if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    sys.exit(main())
