"""The last known catalogue of a connection: what nodes said of themselves, kept between sessions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from broker.clock import SECOND
from broker.observe.journal import StateChange

log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_MOMENTS: Final = 50
KEPT_NS: Final = 30 * 86_400 * SECOND


class Catalogue:
    """Keeps what is known of nodes and services now, as INFO packets would say it."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, str], dict[str, Any]] = {}
        self._services: dict[tuple[str, str], dict[str, Any]] = {}

    def learn(self, changes: Iterable[StateChange]) -> None:
        """Take in what was observed."""
        for change in changes:
            book = {"node": self._nodes, "service": self._services}.get(change.kind)
            if book is None:
                continue
            if change.value is None:
                book.pop((change.namespace, change.key), None)
            else:
                book[change.namespace, change.key] = change.value

    def notes(self, now_ns: int) -> list[dict[str, Any]]:
        """The bodies of @catalogue frames, one for each moment at which nodes were last known; newest first."""
        offers: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for (namespace, full_name), service in self._services.items():
            if service["supposed"]:
                continue
            for node_id, there in service["nodes"].items():
                offers.setdefault((namespace, node_id), []).append(_service(full_name, service, there))
        by_moment: dict[int, list[dict[str, Any]]] = {}
        for (namespace, node_id), node in self._nodes.items():
            services = offers.get((namespace, node_id), [])
            if node.get("state") == "offline" or not (services or node.get("client", {}).get("type")):
                continue
            saved_ns = node.get("saved_ns") if node.get("state") == "remembered" else now_ns
            info = _info(node_id, node, services)
            by_moment.setdefault(saved_ns or 0, []).append({"namespace": namespace, "info": info})
        moments = sorted(by_moment, reverse=True)[:MAX_MOMENTS]
        return [{"saved_ns": saved_ns, "nodes": by_moment[saved_ns]} for saved_ns in moments]


class CatalogueFile:
    """Where the catalogue of one connection is kept."""

    def __init__(self, folder: Path, connection: str) -> None:
        """
        Args:
            folder: Of all catalogues.
            connection: Profile's name or URL without secrets; tells connections apart.
        """
        self.path = folder / f"{hashlib.blake2b(connection.encode(), digest_size=8).hexdigest()}.json"

    def load(self, now_ns: int) -> list[dict[str, Any]]:
        """What was saved in the last 30 days; nothing if it cannot be read."""
        try:
            if self.path.stat().st_size > MAX_FILE_BYTES:
                return []
            saved = json.loads(self.path.read_bytes())
            notes = [note for note in saved["notes"] if now_ns - note["saved_ns"] < KEPT_NS]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return notes

    def save(self, notes: list[dict[str, Any]]) -> None:
        """Replace it, all at once; a catalogue of nothing replaces nothing. A full disk is only logged."""
        if not notes:
            return
        temporary = self.path.with_suffix(f".{os.getpid()}.new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(json.dumps({"notes": notes}).encode())
            temporary.replace(self.path)
        except OSError as error:
            log.warning("the catalogue could not be kept for the next session: %s", error)
            with contextlib.suppress(OSError):
                temporary.unlink()


def _service(full_name: str, service: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """One element of INFO's services."""
    return {
        "name": service["name"],
        "version": service["version"],
        "fullName": full_name,
        "settings": service["settings"],
        "metadata": service["metadata"],
        "actions": there["actions"],
        "events": there["events"],
    }


def _info(node_id: str, node: dict[str, Any], services: list[dict[str, Any]]) -> dict[str, Any]:
    """What INFO said."""
    client = node.get("client", {})
    return {
        "ver": node.get("protocol", ""),
        "sender": node_id,
        "services": services,
        "ipList": list(node.get("ips", ())),
        "hostname": node.get("hostname", ""),
        "client": {
            "type": client.get("type", ""),
            "version": client.get("version", ""),
            "langVersion": client.get("lang_version", ""),
        },
        "config": {},
        "instanceID": node.get("instance_id", ""),
        "metadata": node.get("metadata", {}),
        "seq": node.get("seq", 0),
    }
