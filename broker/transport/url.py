"""Connection URLs, as MoleculerJS takes them, and with Sentinel and Cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

SCHEMES: Final = {
    "redis": (False, ""),
    "rediss": (True, ""),
    "redis+sentinel": (False, "sentinel"),
    "rediss+sentinel": (True, "sentinel"),
    "redis+cluster": (False, "cluster"),
    "rediss+cluster": (True, "cluster"),
}
DEFAULT_PORTS: Final = {"": 6379, "sentinel": 26379, "cluster": 6379}


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Where a bus is and how to be let in. Its repr holds no secret.

    Attributes:
        scheme: As in the URL.
        hosts: (host, port) of the server; of all Sentinels or known cluster nodes.
        kind: "" for a plain server, ``sentinel``, ``cluster``.
        is_tls: Whether the connection is encrypted.
        username, password: Empty for none.
        database: Of discoverer keys; channels are the same in all.
        master: Name of the master that the Sentinels watch.
        tls_ca: File of the authority that signed the server's certificate; empty for the system's.
        tls_cert, tls_key: Files of our own certificate, for servers that ask for one.
        sentinel_username, sentinel_password: For the Sentinels themselves.
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
    tls_cert: str = ""
    tls_key: str = ""
    sentinel_username: str = ""
    sentinel_password: str = field(default="", repr=False)

    @property
    def redacted(self) -> str:
        """The URL without its password, fit for screens, files and logs."""
        user = f"{quote(self.username)}@" if self.username else ""
        where = ",".join(host_text(host, port) for host, port in self.hosts)
        path = (f"/{quote(self.master)}" if self.master else "") + (f"/{self.database}" if self.database else "")
        return f"{self.scheme}://{user}{where}{path}"

    @property
    def who(self) -> str:
        """Whom the server takes us for, to begin a sentence with."""
        return f"The user '{self.username}'" if self.username else "The default user"

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
                ``redis+sentinel://host:port,host:port/master[/db]``, ``redis+cluster://host:port,...``;
                then, where wanted, ``?tls_ca=FILE&tls_cert=FILE&tls_key=FILE``, and for Sentinels that
                have a password of their own ``sentinel_username`` and ``sentinel_password``.
            password: Used when the URL holds none.
            tls_ca: File of the authority for TLS; goes before the URL's.

        Raises:
            ValueError: What in it is wrong, and what was expected. Never holds a password.
        """
        scheme, rest = _scheme(url.strip())
        is_tls, kind = SCHEMES[scheme]
        # a password may hold a slash that nobody escaped: what follows the last @ is the host
        main, _, query = rest.partition("?")
        if "@" in query and "@" not in main:
            raise ValueError("the URL holds an @ after a ?, expected %3F and %40 for them within a password")
        login, _, place = main.rpartition("@")
        username, _, given = login.partition(":")
        authority, _, path = place.partition("/")
        hosts = tuple(_host(part, DEFAULT_PORTS[kind]) for part in authority.split(","))
        if len(hosts) > 1 and not kind:
            raise ValueError(f"{scheme}:// names {len(hosts)} hosts, expected one; several need +sentinel or +cluster")
        more = dict(parse_qsl(query))
        master, database = _master(path) if kind == "sentinel" else ("", path.strip("/"))
        return cls(
            scheme=scheme,
            hosts=hosts,
            kind=kind,
            is_tls=is_tls,
            username=unquote(username),
            password=unquote(given) or password or "",
            database=_database(database or more.get("db", "")),
            master=master,
            tls_ca=tls_ca or more.get("tls_ca", ""),
            tls_cert=more.get("tls_cert", ""),
            tls_key=more.get("tls_key", ""),
            sentinel_username=more.get("sentinel_username", ""),
            sentinel_password=more.get("sentinel_password", ""),
        )


def _scheme(url: str) -> tuple[str, str]:
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if separator and scheme in SCHEMES:
        return scheme, rest
    known = ", ".join(f"{name}://" for name in SCHEMES)
    given = f"'{scheme}://'" if separator else f"'{url[:40]}'" if "@" not in url else "what stands before the host"
    raise ValueError(f"{given} is no bus that is known, expected one of {known}")


def _host(text: str, default_port: int) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, str(default_port)
    is_bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not is_bracketed:
        raise ValueError(f"host is '{text}', expected an IPv6 address in brackets, as in [::1]:6379")
    if not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65_536:
        raise ValueError(f"port is '{port}', expected a number from 1 to 65535")
    return host.removeprefix("[").removesuffix("]") or "localhost", int(port)


def host_text(host: str, port: int) -> str:
    """A host and its port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _database(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"database is '{text}', expected a number, as in redis://host:6379/0")
    return int(text)


def _master(path: str) -> tuple[str, str]:
    """The master's name, and what follows it."""
    master, _, database = path.strip("/").partition("/")
    if not master:
        raise ValueError("the master's name is missing, expected for instance redis+sentinel://host:26379/mymaster")
    return unquote(master), database
