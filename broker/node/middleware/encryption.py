"""Packets encrypted on the wire; with the same key on all nodes of a mesh, MoleculerJS's included."""

from __future__ import annotations

import logging

from broker.node.middleware.base import Middleware, Receive, Send
from broker.protocol.encryption import DEFAULT_ALGORITHM, Cipher

log = logging.getLogger(__name__)


class TransmitEncryption(Middleware):
    """MoleculerJS's ``Transmit.Encryption(password, algorithm, iv)``.

    Attributes:
        unreadable: How many packets came that were not encrypted so; they are left out.
    """

    def __init__(
        self, password: str | bytes, algorithm: str = DEFAULT_ALGORITHM, iv: str | bytes | None = None
    ) -> None:
        """
        Args:
            password: The key, as long as the algorithm wants it; see `broker.protocol.encryption.Cipher`.
            algorithm: By Node's name.
            iv: What the algorithm begins with; 16 bytes.

        Raises:
            ValueError: One of them is not as it must be.
        """
        self._cipher = Cipher(password, algorithm, iv)
        self.unreadable = 0

    def transporter_send(self, call: Send) -> Send:
        """Encrypt what leaves."""
        encrypt = self._cipher.encrypt
        return lambda channel, body: call(channel, encrypt(body))

    def transporter_receive(self, call: Receive) -> Receive:
        """Decrypt what came."""

        def receive(channel: bytes, body: bytes) -> None:
            try:
                plain = self._cipher.decrypt(body)
            except ValueError as error:
                self.unreadable += 1
                log.warning("a packet on %s is left out: %s", channel.decode("utf-8", "replace"), error)
                return
            call(channel, plain)

        return receive
