"""Secrets planted wherever a mesh and its operator have some, and a search through whatever was written."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import lz4.frame
import zstandard

from broker.node import Broker, BrokerOptions
from broker.node.context import Context
from broker.node.errors import MoleculerClientError
from tests.e2e.small_mesh import SmallMesh

NS: Final = "vault"
VISIBLE: Final = "plain-and-visible"
"""Is no secret: that it is found shows that the search finds."""

_WORDS: Final = (
    *("bus", "environment", "helper", "settings-url", "settings-key", "metadata", "params", "deep", "card", "meta"),
    *("answer", "inside", "returned", "error-message", "error-data", "event", "iban", "options-url", "options-odd"),
    *("event-meta", "header", "variable"),
)
SECRETS: Final = {word: f"s3cr3t-{word}-7f3a" for word in _WORDS}
PARAMS: Final = {
    "name": VISIBLE,
    "password": SECRETS["params"],
    "who": {"profile": [{"accessToken": SECRETS["deep"], "cardNumber": SECRETS["card"]}]},
    "IBAN": SECRETS["iban"],
    "hint": SECRETS["bus"],
}
META: Final = {"authorization": SECRETS["meta"]}
EVENT: Final = {"note": VISIBLE, "resetToken": SECRETS["event"]}
EVENT_META: Final = {"cookie": SECRETS["event-meta"]}


class VaultMesh(SmallMesh):
    """``desk-1`` and ``desk-2`` with a service ``vault``; each calls the other's every now and then."""

    def _schema(self) -> dict[str, Any]:
        return {
            "name": "vault",
            "settings": {
                "db": f"postgres://app:{SECRETS['settings-url']}@db.example/x",
                "apiKey": SECRETS["settings-key"],
                "title": VISIBLE,
            },
            "metadata": {"deployToken": SECRETS["metadata"]},
            "actions": {"open": self._open, "refuse": self._refuse, "slow": self._slow},
            "events": {"vault.*": self._take},
        }

    async def _open(self, ctx: Context) -> Any:
        self.calls.append(ctx.params)
        ctx.meta["sessionCookie"] = SECRETS["returned"]
        text = json.dumps({"secret": SECRETS["inside"]})
        return {"title": VISIBLE, "refreshToken": SECRETS["answer"], "text": text}

    async def _refuse(self, ctx: Context) -> None:
        self.calls.append(ctx.params)
        message = f"no entry with password={SECRETS['error-message']}"
        raise MoleculerClientError(message, 403, "SHUT", {"token": SECRETS["error-data"]})

    async def _start(self) -> None:
        asked = {"actions": {"options": _tell_options}}
        options = BrokerOptions(
            settle_s=0.05, stop_delay_s=0.0, heartbeat_interval_s=0.2, internal_services={"$node": asked}
        )
        self._nodes = [Broker(f"desk-{n}", self.url, self.namespace, options=options) for n in (1, 2)]
        for node in self._nodes:
            await node.add(self._schema())
            await node.start()
        self._talking = asyncio.create_task(self._talk())

    async def _stop(self) -> None:
        self._talking.cancel()
        await super()._stop()

    async def _talk(self) -> None:
        """What nodes say among themselves, all of it full of secrets."""
        first, second = self._nodes
        while True:
            await asyncio.sleep(0.1)
            for node, other in ((first, second), (second, first)):
                await node.call("vault.open", PARAMS, meta=dict(META), node_id=other.node_id)
                await node.call("$node.options", {}, node_id=other.node_id)
                with contextlib.suppress(MoleculerClientError):
                    await node.call("vault.refuse", PARAMS, node_id=other.node_id)
            await first.broadcast("vault.opened", EVENT, meta=dict(EVENT_META))


async def _tell_options(_service: Any, _ctx: Context) -> dict[str, Any]:
    """Takes its time, so that sessions and recordings begin between question and answer."""
    await asyncio.sleep(0.08)
    return options_told()


def options_told() -> dict[str, Any]:
    """What nodes of a user may answer: anything, under any name."""
    return {
        "namespace": NS,
        "transporter": f"redis://:{SECRETS['options-url']}@h:1",
        "plugins": [{"k": SECRETS["options-odd"]}],
    }


def leaks_of_everything(where: str, octets: bytes) -> list[str]:
    """As `leaks`, of a capture whose user wants packets as they are: what is never kept all the same."""
    return [leak for leak in leaks(where, [octets]) if leak.endswith((": bus", ": options-url", ": options-odd"))]


def leaks(where: str, texts: Iterable[bytes]) -> list[str]:
    """Which secrets stand in some texts; masked ones are not there, however they are written."""
    found = []
    for text in texts:
        found += [f"{where}: {word}" for word, secret in SECRETS.items() if secret.encode() in text]
    return sorted(set(found))


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """What stands in the files of a folder: as it is, and what is packed in it."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            octets = file.read_bytes()
            yield file, octets
            for unpacked in _unpacked(octets):
                yield file, unpacked


def _unpacked(octets: bytes) -> Iterator[bytes]:
    """Every zstd and lz4 frame that begins anywhere."""
    for magic, unpack in ((b"\x28\xb5\x2f\xfd", _unzstd), (b"\x04\x22\x4d\x18", lz4.frame.LZ4FrameDecompressor)):
        at = octets.find(magic)
        while at >= 0:
            with contextlib.suppress(zstandard.ZstdError, RuntimeError, EOFError):
                yield unpack().decompress(octets[at:])
            at = octets.find(magic, at + 1)


def _unzstd() -> Any:
    return zstandard.ZstdDecompressor().decompressobj()
