"""Options that say how packets are written: serializer, encryption, compression."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import click

from app.cli.errors import SaidNo
from broker.protocol.compression import METHODS
from broker.protocol.encryption import DEFAULT_ALGORITHM, Cipher
from broker.protocol.serializers import SERIALIZERS

CIPHER_KEY: Final = "MESHSCOPE_CIPHER_KEY"
CIPHER_IV: Final = "MESHSCOPE_CIPHER_IV"


@dataclass(frozen=True, slots=True)
class WireOptions:
    """How packets are written. Its repr holds no secret.

    Attributes:
        serializer: In which ours are; empty for that of the mesh.
        cipher_key: Of a mesh whose packets are encrypted; empty for none.
        cipher_iv: What its encryption begins with; empty for none.
        cipher_algorithm: By Node's name.
        compression: Method of a mesh whose packets are compressed; empty to find it by itself.
    """

    serializer: str = ""
    cipher_key: str = field(default="", repr=False)
    cipher_iv: str = field(default="", repr=False)
    cipher_algorithm: str = DEFAULT_ALGORITHM
    compression: Literal["", "deflate", "deflateRaw", "gzip"] = ""

    @classmethod
    def from_environment(cls) -> WireOptions:
        """As they are where nobody gave options: the secrets are where they always are."""
        return cls(cipher_key=os.environ.get(CIPHER_KEY, ""), cipher_iv=os.environ.get(CIPHER_IV, ""))


def wire_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets them as ``wire``."""

    @click.option(
        "--serializer",
        type=click.Choice(["auto", *SERIALIZERS], case_sensitive=False),
        default="auto",
        show_default=True,
        help="In which we write; what is heard is recognised by itself.",
    )
    @click.option(
        "--cipher-key",
        "key_name",
        default=CIPHER_KEY,
        show_default=True,
        metavar="VARIABLE",
        help="The environment variable that holds the key of Transmit.Encryption.",
    )
    @click.option(
        "--cipher-iv",
        "iv_name",
        default=CIPHER_IV,
        show_default=True,
        metavar="VARIABLE",
        help="The environment variable that holds its IV.",
    )
    @click.option(
        "--cipher",
        "algorithm",
        default=DEFAULT_ALGORITHM,
        show_default=True,
        metavar="ALGORITHM",
        help="Its algorithm.",
    )
    @click.option(
        "--compression",
        type=click.Choice(["auto", *METHODS], case_sensitive=False),
        default="auto",
        show_default=True,
        help="Method of Transmit.Compression.",
    )
    @functools.wraps(command)
    def with_wire(serializer: str, key_name: str, iv_name: str, algorithm: str, compression: str, **rest: Any) -> None:
        found = _wire(serializer, _secret(key_name, CIPHER_KEY), _secret(iv_name, CIPHER_IV), algorithm, compression)
        command(wire=found, **rest)

    return with_wire


def _secret(name: str, usual: str) -> str:
    """What a variable holds. Raises SaidNo when one that was asked for is not there."""
    value = os.environ.get(name, "")
    if not value and name != usual:
        raise SaidNo(f"the environment variable {name} is empty.", "Put the secret there, not behind the option.")
    return value


def _wire(serializer: str, key: str, iv: str, algorithm: str, compression: Any) -> WireOptions:
    if key:
        try:
            Cipher(key, algorithm, iv or None)
        except ValueError as error:
            raise SaidNo(f"{error}.") from error
    return WireOptions(
        "" if serializer == "auto" else serializer, key, iv, algorithm, "" if compression == "auto" else compression
    )
