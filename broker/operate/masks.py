"""What is secret in what is shown, copied, exported and logged: one way for all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from broker.capture.mask_json import mask_json, mask_url
from broker.capture.secret_names import DEFAULT_NAMES, SecretNames
from broker.protocol.headers import NODE_OPTIONS

MASKED: Final = "***"

_ASSIGNED: Final = re.compile(r"([A-Za-z][A-Za-z0-9_.\-]{2,60})=([^\s&;,\"']+)")
_SAID: Final = re.compile(r"""('?)\b([A-Za-z][\w .\-]{1,60})\1:\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
"""As Python and Node write data for people: ``'password': 'x'``, ``password: 'x'``."""
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=\-]{6,}")
_TOKEN: Final = re.compile(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{4,}(?:\.[A-Za-z0-9_\-]*)?")
_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)
_JSON_INSIDE: Final = re.compile(r'"\s*:')
_LEAST_KNOWN: Final = 4
"""Letters of a secret that is looked for as it is; shorter ones are everywhere."""

_PLAIN_OPTIONS: Final = frozenset(
    {"namespace", "nodeID", "logLevel", "type", "strategy", "scope", "instanceID", "hotReload", "name", "level"}
)
"""Texts of ``$node.options`` that are shown. Every other text may hold what nobody foresaw."""


class Masks:
    """Hides what is secret: values under secret names, passwords in URLs, tokens and keys, and what is known to be one.

    Never raises for what it is given; gives the same object back when nothing in it is secret.
    """

    def __init__(self, names: Iterable[str] = (), known: Iterable[str] = ()) -> None:
        """
        Args:
            names: Of the user's own list, beside those that are always secret.
            known: Secrets as they are: passwords and keys in use.

        Raises:
            ValueError: A name cannot be masked.
        """
        self.set_names(names)
        self._known = sorted({each for each in known if len(each) >= _LEAST_KNOWN}, key=len, reverse=True)

    def set_names(self, names: Iterable[str]) -> None:
        """Another list of the user, for everybody who has this object; from any thread.

        Raises:
            ValueError: A name cannot be masked; the list stays.
        """
        every = tuple(dict.fromkeys((*DEFAULT_NAMES, *names)))
        self._secrets = SecretNames(every)
        self.names: tuple[str, ...] = every

    def is_secret(self, name: str) -> bool:
        """Whether values under this name are secret."""
        return self._secrets.holds(name.encode("utf-8", "replace"))

    def learn(self, known: str) -> None:
        """Hide this secret too from now on, as it is; for everybody who has this object, from any thread."""
        if len(known) >= _LEAST_KNOWN and known not in self._known:
            self._known = sorted({*self._known, known}, key=len, reverse=True)

    def tree(self, value: Any, *, action: str = "") -> Any:
        """Decoded data with secrets replaced.

        Args:
            value: As JSON gives it.
            action: Whose answer it is. Of ``$node.options`` all texts are hidden but a few that are known to be plain.
        """
        try:
            return self._tree(value, is_secret=False, hides_texts=action == NODE_OPTIONS)
        except RecursionError:
            return MASKED  # deeper than can be looked into

    def json_text(self, text: str, *, action: str = "") -> str:
        """A JSON text with secrets replaced; a text that is none, as `text` leaves it."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return MASKED if action == NODE_OPTIONS else self.text(text)
        masked = self.tree(value, action=action)
        return text if masked is value else json.dumps(masked, ensure_ascii=False)

    def text(self, text: str) -> str:
        """A message with secrets replaced: in JSON inside it, in URLs, after ``name=``, and those that are known."""
        for known in self._known:
            text = text.replace(known, MASKED)
        if "://" in text or _JSON_INSIDE.search(text) is not None:
            text = self._by_bytes(text)
        if "=" in text:
            text = _ASSIGNED.sub(self._assigned, text)
        if ":" in text:
            text = _SAID.sub(self._said, text)
        text = _SCHEME.sub(lambda found: f"{found[1]} {MASKED}", text)
        text = _TOKEN.sub(MASKED, text)
        return _KEY.sub(MASKED, text)

    def _assigned(self, found: re.Match[str]) -> str:
        return f"{found[1]}={MASKED}" if self.is_secret(found[1]) else found[0]

    def _said(self, found: re.Match[str]) -> str:
        quote, name, value = found.groups()
        return f"{quote}{name}{quote}: {value[0]}{MASKED}{value[0]}" if self.is_secret(name) else found[0]

    def _by_bytes(self, text: str) -> str:
        """As captures are masked, in place."""
        octets = bytearray(text.encode("utf-8", "surrogatepass"))
        mask_json(octets, 0, len(octets), self._secrets)
        at = octets.find(b"://")
        while at >= 0:
            mask_url(octets, at, len(octets))
            at = octets.find(b"://", at + 3)
        return octets.decode("utf-8", "surrogatepass")

    def _tree(self, value: Any, *, is_secret: bool, hides_texts: bool) -> Any:
        if isinstance(value, dict):
            masked = {
                self._key(key): self._tree(
                    item,
                    is_secret=is_secret or (isinstance(key, str) and self.is_secret(key)),
                    hides_texts=hides_texts and key not in _PLAIN_OPTIONS,
                )
                for key, item in value.items()
            }
            same = all(key in masked and masked[key] is value[key] for key in value)
            return value if same else masked
        if isinstance(value, list | tuple):
            items = [self._tree(item, is_secret=is_secret, hides_texts=hides_texts) for item in value]
            same = all(item is before for item, before in zip(items, value, strict=True))
            return value if same else type(value)(items)
        if value is None or isinstance(value, bool):
            return value
        if is_secret:
            return MASKED
        if isinstance(value, str):
            if hides_texts and value:
                return MASKED
            masked_text = self.text(value)
            return value if masked_text == value else masked_text
        return value

    def _key(self, key: Any) -> Any:
        """Keys may hold secrets too, where somebody keeps things by them."""
        if not isinstance(key, str) or not self._known:
            return key
        return self.text(key) if any(known in key for known in self._known) else key
