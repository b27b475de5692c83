"""Packets encrypted on the wire, with the same key everywhere."""

from __future__ import annotations

from broker.node.middleware.transmit import Transmit
from broker.protocol.encryption import DEFAULT_ALGORITHM, Cipher


class TransmitEncryption(Transmit):
    """MoleculerJS's ``Transmit.Encryption(password, algorithm, iv)``."""

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
        cipher = Cipher(password, algorithm, iv)
        super().__init__(cipher.encrypt, cipher.decrypt)
