"""Where a remote probe runs, and what is said when it does not."""

import pytest

from broker.probe.ssh import REMOTE_VARIABLE, SSH_VARIABLE, Machine, explain


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        ("ops@bus-1", Machine("bus-1", "ops")),
        ("bus-1.example.org", Machine("bus-1.example.org")),
        ("ssh://ops@192.0.2.7:2222", Machine("192.0.2.7", "ops", 2222)),
        ("ssh://ops@bus-1/opt/scope/bin/meshscope", Machine("bus-1", "ops", 0, "/opt/scope/bin/meshscope")),
        ("[2001:db8::1]:22", Machine("2001:db8::1", "", 22)),
    ],
)
def test_a_machine_is_read(text: str, machine: Machine) -> None:
    assert Machine.parse(text) == machine


@pytest.mark.parametrize("text", ["", "-oProxyCommand=true", "ops@-x", "a b", "ops@host:99999", "ops@host;reboot"])
def test_what_is_no_machine_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected user@host"):
        Machine.parse(text)


def test_the_command_line_asks_nobody_and_holds_only_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SSH_VARIABLE, raising=False)
    monkeypatch.delenv(REMOTE_VARIABLE, raising=False)
    argv = Machine("bus-1", "ops", 2222).argv()
    assert argv[0] == "ssh"
    assert {"BatchMode=yes", "ServerAliveInterval=5", "-T"} <= set(argv)
    assert argv[-5:] == ["-p", "2222", "--", "ops@bus-1", "meshscope probe"]


def test_ssh_and_the_program_there_can_be_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SSH_VARIABLE, "ssh -F '/etc/my config'")
    monkeypatch.setenv(REMOTE_VARIABLE, "python3 -m app")
    assert Machine("bus-1").argv()[:3] == ["ssh", "-F", "/etc/my config"]
    assert Machine("bus-1").argv()[-1] == "python3 -m app probe"
    assert Machine("bus-1", program="/o p/meshscope").argv()[-1] == "'/o p/meshscope' probe"


@pytest.mark.parametrize(
    ("reason", "code", "said", "message", "advice"),
    [
        ("it ended", 127, "bash: meshscope: command not found", "Meshscope was not found on ops@b", "pip install"),
        ("it ended", 255, "ops@b: Permission denied (publickey).", "ssh does not reach ops@b", "without a password"),
        ("it ended", 255, "Host key verification failed.", "Host key verification failed", "Log in once by hand"),
        ("it ended", 255, "ssh: connect to host b port 22: Connection refused", "Connection refused", "by hand"),
        ("the other side is no Meshscope probe", None, "", "is no Meshscope probe", "must be silent"),
        ("A (format 1), B: they do not understand each other. Install", 2, "", "do not understand", "version that is"),
        ("The probe was killed by signal 9.", None, "", "The probe on ops@b is gone", "started again"),
    ],
)
def test_why_it_is_not_there_is_told_with_what_to_do(
    reason: str, code: int | None, said: str, message: str, advice: str
) -> None:
    told = explain(Machine("b", "ops"), reason, code, said)
    assert message in told[0]
    assert advice in told[1]
