"""Connection URLs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.transport.url import ConnectionSettings

parse = ConnectionSettings.parse
KNOWN = (
    "expected one of redis://, rediss://, redis+sentinel://, rediss+sentinel://, redis+cluster://, rediss+cluster://"
)


def test_a_plain_url_names_host_port_and_database():
    assert parse("redis://bus:6380/2") == ConnectionSettings("redis", (("bus", 6380),), database=2)


@pytest.mark.parametrize(
    "url", ["redis://", "redis://localhost", "redis://localhost/", "REDIS://localhost:6379/0", " redis://:6379 "]
)
def test_what_is_left_out_is_localhost_6379_database_0(url):
    assert parse(url) == ConnectionSettings("redis", (("localhost", 6379),))


def test_user_and_password_are_unescaped():
    settings = parse("rediss://us%40er:p%2Fa%3As@bus")
    assert (settings.username, settings.password, settings.is_tls) == ("us@er", "p/a:s", True)


def test_a_password_with_slashes_and_colons_that_nobody_escaped_is_understood():
    settings = parse("redis://:a/b:c@d@bus:1")
    assert (settings.password, settings.hosts) == ("a/b:c@d", (("bus", 1),))


def test_a_password_from_elsewhere_is_used_when_the_url_has_none():
    assert parse("redis://bus", password="elsewhere").password == "elsewhere"
    assert parse("redis://:here@bus", password="elsewhere").password == "here"


def test_an_ipv6_address_stands_in_brackets():
    settings = parse("redis://[::1]:7000")
    assert settings.hosts == (("::1", 7000),)
    assert settings.redacted == "redis://[::1]:7000"
    assert parse("redis://[fe80::2]").hosts == (("fe80::2", 6379),)


def test_sentinels_are_listed_before_the_master():
    settings = parse("redis+sentinel://:secret@a:1,b,c:3/shop/4?sentinel_password=other")
    assert settings.hosts == (("a", 1), ("b", 26379), ("c", 3))
    assert (settings.kind, settings.master, settings.database) == ("sentinel", "shop", 4)
    assert (settings.password, settings.sentinel_password) == ("secret", "other")
    assert settings.redacted == "redis+sentinel://a:1,b:26379,c:3/shop/4"


def test_nodes_of_a_cluster_are_listed():
    settings = parse("rediss+cluster://a:1,b:2")
    assert (settings.kind, settings.is_tls, settings.hosts) == ("cluster", True, (("a", 1), ("b", 2)))


def test_files_for_tls_may_stand_in_the_url():
    settings = parse("rediss://bus?tls_ca=/etc/ca.pem&tls_cert=/c.pem&tls_key=/k.pem")
    assert (settings.tls_ca, settings.tls_cert, settings.tls_key) == ("/etc/ca.pem", "/c.pem", "/k.pem")
    assert parse("rediss://bus?tls_ca=/a", tls_ca="/b").tls_ca == "/b"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://bus:port", "port is 'port', expected a number from 1 to 65535"),
        ("redis://bus:70000", "port is '70000', expected a number from 1 to 65535"),
        ("redis://bus:²", "port is '²', expected a number from 1 to 65535"),
        ("redis://bus/shop", "database is 'shop', expected a number, as in redis://host:6379/0"),
        ("redis://a,b", "redis:// names 2 hosts, expected one; several need +sentinel or +cluster"),
        ("redis://::1:6379", "host is '::1:6379', expected an IPv6 address in brackets, as in [::1]:6379"),
        ("redis+sentinel://a", "the master's name is missing, expected for instance redis+sentinel://host:26379/mymaster"),
        ("kafka://a", f"'kafka://' is no bus that is known, {KNOWN}"),
        ("localhost:6379", f"'localhost:6379' is no bus that is known, {KNOWN}"),
        ("redis://:a?b@bus", "the URL holds an @ after a ?, expected %3F and %40 for them within a password"),
    ],
)  # fmt: skip
def test_a_wrong_url_is_told_what_is_wrong_with_it(url, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 the whole text is compared
        parse(url)
    assert str(error.value) == said


@given(
    scheme=st.sampled_from(["redis://", "rediss://", "redis+sentinel://", "redis+cluster://", "nats://", "://", ""]),
    before=st.sampled_from(["", ":", "user:"]),
    after=st.sampled_from(["@bus", "@bus:x", "@bus/x", "@a,b", "@bus:1/2?x=y", "@", ":@/"]),
    raw=st.booleans(),
)
def test_a_password_is_in_no_message_no_repr_and_no_redacted_url(scheme, before, after, raw):
    secret = "s3cr/t:p?ss" if raw else "s3cr%2Ft"
    try:
        settings = parse(f"{scheme}{before}{secret}{after}" if before else f"{scheme}:{secret}{after}")
        shown = repr(settings) + settings.redacted
    except ValueError as error:
        shown = str(error)
    assert "s3cr" not in shown
