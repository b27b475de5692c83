"""Encryption of whole packets as MoleculerJS's Transmit.Encryption does it: one key, one IV, nothing around.

Equal packets are equal on the wire, and nothing tells whether one was
changed: it hides what is said, and that is all. Be in a network that is
encrypted itself where that matters.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher as AnyCipher
from cryptography.hazmat.primitives.ciphers import CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

DEFAULT_ALGORITHM: Final = "aes-256-cbc"
_BLOCK_BYTES: Final = 16
_NAME: Final = re.compile(r"aes-?(128|192|256)-?(cbc|ctr|ecb)")


class Cipher:
    """What one password encrypts and decrypts.

    Attributes:
        algorithm: Its name, as Node has it.
    """

    def __init__(
        self, password: str | bytes, algorithm: str = DEFAULT_ALGORITHM, iv: str | bytes | None = None
    ) -> None:
        """
        Args:
            password: The key itself, as long as the algorithm wants it: 32 bytes for AES-256. Without an IV, where
                the algorithm wants one, of any length: then key and IV are made of it as MoleculerJS 0.14 does.
            algorithm: ``aes-256-cbc`` and its like: 128, 192 or 256 bits; cbc, ctr or ecb.
            iv: 16 bytes; none for ecb.

        Raises:
            ValueError: One of them is not as it must be; says which, and never what.
        """
        found = _NAME.fullmatch(str(algorithm).lower())
        if found is None:
            raise ValueError(
                f"encryption algorithm is '{algorithm}', expected aes-128, aes-192 or aes-256, "
                "with -cbc, -ctr or -ecb behind it"
            )
        self.algorithm = f"aes-{found[1]}-{found[2]}"
        self._mode = found[2]
        key, vector = _as_bytes(password), _as_bytes(iv) if iv is not None else b""
        key_bytes = int(found[1]) // 8
        if not key:
            raise ValueError("encryption password is empty, expected one")
        if self._mode != "ecb" and not vector:
            key, vector = _derived(key, key_bytes)
        if len(key) != key_bytes:
            raise ValueError(f"encryption password has {len(key)} bytes, expected {key_bytes} for {self.algorithm}")
        if len(vector) != (0 if self._mode == "ecb" else _BLOCK_BYTES):
            expected = "none" if self._mode == "ecb" else f"{_BLOCK_BYTES} bytes"
            raise ValueError(f"encryption IV has {len(vector)} bytes, expected {expected} for {self.algorithm}")
        chain: modes.ECB | modes.CBC | modes.CTR = modes.ECB()  # noqa: S305 - what the mesh was told to use
        if self._mode != "ecb":
            chain = modes.CBC(vector) if self._mode == "cbc" else modes.CTR(vector)
        self._cipher = AnyCipher(AES(key), chain)

    def encrypt(self, data: bytes) -> bytes:
        """What goes on the wire."""
        if self._mode != "ctr":
            padder = PKCS7(8 * _BLOCK_BYTES).padder()
            data = padder.update(data) + padder.finalize()
        return _run(self._cipher.encryptor(), data)

    def decrypt(self, data: bytes) -> bytes:
        """What came from the wire. A wrong key that goes unnoticed gives noise.

        Raises:
            ValueError: It is not encrypted so.
        """
        if self._mode == "ctr":
            return _run(self._cipher.decryptor(), data)
        if not data or len(data) % _BLOCK_BYTES:
            raise ValueError(f"packet of {len(data)} bytes is not encrypted by {self.algorithm}")
        unpadder = PKCS7(8 * _BLOCK_BYTES).unpadder()
        try:
            return unpadder.update(_run(self._cipher.decryptor(), data)) + unpadder.finalize()
        except ValueError:
            raise ValueError(f"packet cannot be decrypted by {self.algorithm}: the key or the IV is another") from None


def _run(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()


def _as_bytes(secret: str | bytes) -> bytes:
    return secret.encode() if isinstance(secret, str) else bytes(secret)


def _derived(password: bytes, key_bytes: int) -> tuple[bytes, bytes]:
    """Key and IV as OpenSSL makes them of a password without salt, by MD5 (EVP_BytesToKey)."""
    made = last = b""
    while len(made) < key_bytes + _BLOCK_BYTES:
        last = hashlib.md5(last + password, usedforsecurity=False).digest()
        made += last
    return made[:key_bytes], made[key_bytes : key_bytes + _BLOCK_BYTES]
