"""`python -m bench.probe_in_turn`: the probe as a window starts it, which can besides be told to sleep and to wake up.

Only its way to the bus is another: the tap's connection unsubscribes at a signal, and subscribes again at another.
While it is subscribed all is as in a user's session.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from broker.operate import log_masks
from broker.probe.main import main
from broker.probe.options import SessionOptions

if TYPE_CHECKING:
    from broker.probe.door import Door


def door_to(options: SessionOptions) -> Door:
    """The way to the bus of a session. The network is imported when the probe itself would import it."""
    from bench.tap_in_turn import DoorInTurn  # noqa: PLC0415
    from broker.transport import ConnectionSettings  # noqa: PLC0415

    return DoorInTurn(ConnectionSettings.parse(options.url, password=options.password, tls_ca=options.tls_ca))


if __name__ == "__main__":
    log_masks.install()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    sys.exit(main(door_to))
