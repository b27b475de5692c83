"""A real sshd on loopback, with keys and settings of its own in a folder of the test."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

START_S = 20.0
_SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""
_SSH = """
Host *
    User {user}
    IdentityFile "{folder}/user_key"
    IdentitiesOnly yes
    UserKnownHostsFile "{folder}/known_hosts"
    StrictHostKeyChecking yes
"""


class SshServer:
    """One sshd for the user who runs the test.

    Attributes:
        port: Where it listens.
        ssh: The command line of a client that knows the server and is let in.
    """

    def __init__(self, folder: Path, port: int) -> None:
        """Nothing runs yet."""
        self.port = port
        self._folder = folder
        self.ssh = shlex.join(["ssh", "-F", str(folder / "ssh_config")])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make keys, start it, and wait until it listens."""
        sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if sshd is None:
            pytest.fail("sshd is not on PATH: tools/system-packages.sh says how to install it")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it wants one when root runs it
        for name in ("host_key", "user_key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / name)]
            subprocess.run(command, check=True)
        names = {"folder": self._folder, "port": self.port, "user": getpass.getuser()}
        (self._folder / "sshd_config").write_text(_SSHD.format(**names))
        (self._folder / "ssh_config").write_text(_SSH.format(**names))
        key = (self._folder / "host_key.pub").read_text()
        (self._folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")
        with (self._folder / "sshd.log").open("wb") as log:
            command = [sshd, "-D", "-e", "-f", str(self._folder / "sshd_config")]
            self._process = subprocess.Popen(command, stderr=log)
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        deadline_s = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                log = (self._folder / "sshd.log").read_text("utf-8", "replace")
                assert self._process is not None
                assert self._process.poll() is None, log
                assert time.monotonic() < deadline_s, log
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
