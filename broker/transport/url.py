"""Connection URLs, as MoleculerJS takes them, and with Sentinel and Cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

SCHEMES = {
    "redis": (False, ""),
    "rediss": (True, ""),
    "redis+sentinel": (False, "sentinel"),
    "rediss+sentinel": (True, "sentinel"),
    "redis+cluster": (False, "cluster"),
    "rediss+cluster": (True, "cluster"),
    "memory": (False, "memory"),
}
DEFAULT_PORTS = {"": 6379, "sentinel": 26379, "cluster": 6379, "memory": 0}


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Where a bus is and how to be let in. Its repr holds no secret.

    Attributes:
        scheme: As in the URL.
        hosts: (host, port) of the server; of all Sentinels or known cluster nodes.
        kind: "" for a plain server, ``sentinel``, ``cluster``, ``memory``.
        is_tls: Whether the connection is encrypted.
        username, password: Empty for none.
        database: Of discoverer keys; channels are the same in all.
        master: Name of the master that the Sentinels watch.
        tls_ca: File of the authority that signed the server's certificate; empty for the system's.
    """

    scheme: str
    hosts: tuple[tuple[str, int], ...]
    kind: str = ""
    is_tls: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    master: str = ""
    tls_ca: str = ""

    @property
    def redacted(self) -> str:
        """The URL without its password, fit for screens, files and logs."""
        user = f"{quote(self.username)}@" if self.username else ""
        where = ",".join(_host_text(host, port) for host, port in self.hosts)
        path = f"/{self.master}" if self.master else f"/{self.database}" if self.database else ""
        return f"{self.scheme}://{user}{where}{path}"

    @property
    def host(self) -> str:
        """The first host."""
        return self.hosts[0][0]

    @property
    def port(self) -> int:
        """The first port."""
        return self.hosts[0][1]

    @classmethod
    def parse(cls, url: str, *, password: str | None = None, tls_ca: str | None = None) -> ConnectionSettings:
        """Read a URL.

        Args:
            url: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` for TLS,
                ``redis+sentinel://host:port,host:port/master``, ``redis+cluster://host:port,...``.
            password: Used when the URL holds none.
            tls_ca: File of the authority for TLS.

        Raises:
            ValueError: What in it is wrong, and what was expected. Never holds a password.
        """
        scheme, separator, rest = url.strip().partition("://")
        scheme = scheme.lower()
        if not separator or scheme not in SCHEMES:
            known = ", ".join(f"{name}://" for name in ("redis", "rediss", "redis+sentinel", "redis+cluster"))
            given = f"'{scheme}://'" if separator else f"'{url[:40]}'" if "@" not in url else "this"
            raise ValueError(f"{given} is no bus that is known, expected {known}")
        is_tls, kind = SCHEMES[scheme]
        authority = rest.partition("/")[0].rpartition("@")[2]
        hosts = tuple(_host(part, DEFAULT_PORTS[kind]) for part in authority.split(",")) if kind != "memory" else ()
        parts = urlsplit(f"x://{rest.partition('/')[0].rpartition('@')[0]}@x/{rest.partition('/')[2]}")
        return cls(
            scheme=scheme,
            hosts=hosts,
            kind=kind,
            is_tls=is_tls,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or "") or password or "",
            database=_database(parts, kind),
            master=_master(parts, kind),
            tls_ca=tls_ca or "",
        )


def _host(text: str, default_port: int) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or (text.startswith("[") and text.endswith("]")):
        host, port = text, str(default_port)
    host = host.removeprefix("[").removesuffix("]") or "localhost"
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"port is '{port}', expected a number from 1 to 65535")
    return host, int(port)


def _host_text(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _database(parts: SplitResult, kind: str) -> int:
    text = parts.path.strip("/") if kind != "sentinel" else parse_qs(parts.query).get("db", [""])[0]
    if not text:
        return 0
    if not text.isdecimal():
        raise ValueError(f"database is '{text}', expected a number, as in redis://host:6379/0")
    return int(text)


def _master(parts: SplitResult, kind: str) -> str:
    if kind != "sentinel":
        return ""
    master = parts.path.strip("/")
    if not master:
        raise ValueError("the master's name is missing, expected for instance redis+sentinel://host:26379/mymaster")
    return master
