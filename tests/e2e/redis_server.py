"""A real redis-server for a test: on 127.0.0.1, on a free port, ended by its process id."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

START_S = 60.0


@dataclass
class Certificates:
    """Files of a certificate for 127.0.0.1 and localhost, and of the authority that signed it."""

    authority: Path
    certificate: Path
    key: Path


@dataclass
class RedisServer:
    """One server.

    Attributes:
        folder: For its log and its configuration.
        port: Of plain connections; of TLS ones when there are certificates.
        password: None for none.
        certificates: None for plain connections.
        options: Further lines of its configuration, such as ("client-output-buffer-limit", "pubsub 1mb 1mb 1").
    """

    folder: Path
    port: int
    password: str | None = None
    certificates: Certificates | None = None
    options: tuple[tuple[str, str], ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """With the password in it."""
        scheme = "redis" if self.certificates is None else "rediss"
        login = f":{self.password}@" if self.password else ""
        return f"{scheme}://{login}127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, or start it again on the same port, and wait until it answers."""
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("redis-server is not on PATH (Debian: apt-get install redis-server)")
        log = self.folder / f"redis-{self.port}.log"
        command = [program, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--logfile", str(log)]
        command += ["--dir", str(self.folder)]
        if self.certificates is None:
            command += ["--port", str(self.port)]
        else:
            command += ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            command += ["--tls-cert-file", str(self.certificates.certificate)]
            command += ["--tls-key-file", str(self.certificates.key)]
            command += ["--tls-ca-cert-file", str(self.certificates.authority)]
        if self.password:
            command += ["--requirepass", self.password]
        for name, value in self.options:
            command += [f"--{name}", value]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._wait_until_it_listens(log)

    def _wait_until_it_listens(self, log: Path) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while True:
            if self._process.poll() is not None:
                pytest.fail(f"redis-server ended with {self._process.returncode}: {_text(log)}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
            except OSError:
                if time.monotonic() > deadline:
                    pytest.fail(f"redis-server does not listen on port {self.port} after {START_S} s: {_text(log)}")
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _text(file: Path) -> str:
    return file.read_text("utf-8", "replace") if file.exists() else "nothing in its log"


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a certificate of it with openssl."""
    if shutil.which("openssl") is None:
        pytest.fail("openssl is not on PATH (Debian: apt-get install openssl)")
    authority, authority_key = folder / "ca.crt", folder / "ca.key"
    certificate, key, request = folder / "server.crt", folder / "server.key", folder / "server.csr"
    names = folder / "names.cnf"
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    new_key = ["-newkey", "rsa:2048", "-nodes"]
    for arguments in (
        ["req", "-x509", *new_key, "-keyout", authority_key, "-out", authority, "-days", "2", "-subj", "/CN=test CA"],
        ["req", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial",
         "-out", certificate, "-days", "2", "-extfile", names],
    ):  # fmt: skip
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
    return Certificates(authority, certificate, key)
