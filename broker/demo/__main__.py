"""``python -m broker.demo``."""

import sys

from broker.demo.run import main

sys.exit(main())
