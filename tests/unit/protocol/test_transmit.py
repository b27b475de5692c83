"""Packets are compressed as zlib does and encrypted as OpenSSL does; what comes is read or refused, whatever it is."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.compression import METHODS, Compression, Method, inflate, method_of
from broker.protocol.encryption import Cipher

KEY, IV = "01234567890123456789012345678901", "0123456789012345"
ALGORITHMS = [f"aes-{bits}-{mode}" for bits in (128, 192, 256) for mode in ("cbc", "ctr", "ecb")]


def cipher(algorithm: str) -> Cipher:
    return Cipher(KEY[: int(algorithm[4:7]) // 8], algorithm, None if algorithm.endswith("ecb") else IV)


@pytest.mark.parametrize("method", METHODS)
@given(data=st.binary(max_size=3000), threshold=st.none() | st.integers(0, 2000))
def test_what_is_packed_is_unpacked(method: Method, data: bytes, threshold: int | None) -> None:
    compression = Compression(method, threshold)
    packed = compression.pack(data)
    assert packed[0] == (0 if threshold is not None and len(data) < threshold else 1)
    assert compression.unpack(packed) == data
    if packed[0]:
        assert method_of(packed[1:]) == method


@pytest.mark.parametrize("method", METHODS)
@given(data=st.binary(max_size=100))
def test_any_bytes_are_unpacked_or_refused(method: Method, data: bytes) -> None:
    try:
        Compression(method).unpack(data)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - what else it raises fails the test


def test_compression_is_that_of_zlib_with_a_flag_before_it() -> None:
    data = b"x" * 1024
    assert zlib.decompress(Compression().pack(data)[1:]) == data
    assert zlib.decompress(Compression("deflateRaw").pack(data)[1:], -15) == data
    assert gzip.decompress(Compression("gzip").pack(data)[1:]) == data
    assert Compression().pack(data[1:]) == b"\0" + data[1:]
    assert Compression().unpack(b"\7" + zlib.compress(data)) == data  # whatever is not 0 says compressed


def test_what_is_cut_short_or_would_fill_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zlib.compress(b"0123456789" * 100)
    with pytest.raises(ValueError, match="cut short"):
        inflate(packed[:-5], "deflate")
    monkeypatch.setattr("broker.protocol.compression.MOST_BYTES", 1 << 20)
    with pytest.raises(ValueError, match="more than 1 MB"):
        inflate(zlib.compress(bytes(2 << 20)), "deflate")


@pytest.mark.parametrize(
    ("threshold", "expected"), [("1kb", 1024), ("1.5 KB", 1536), ("2mb", 2 << 20), ("100", 100), (7, 7), (None, None)]
)
def test_thresholds_are_sizes_as_moleculerjs_takes_them(threshold: Any, expected: int | None) -> None:
    assert Compression(threshold=threshold).threshold_bytes == expected


def test_wrong_options_of_compression_say_what_is_wrong() -> None:
    wrong: Any = "brotli"
    with pytest.raises(ValueError, match="compression method is 'brotli', expected one of deflate, deflateRaw, gzip"):
        Compression(wrong)
    with pytest.raises(ValueError, match="compression threshold is 'big', expected bytes"):
        Compression(threshold="big")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(data=st.binary(max_size=100))
def test_what_is_encrypted_is_decrypted(algorithm: str, data: bytes) -> None:
    assert cipher(algorithm).decrypt(cipher(algorithm).encrypt(data)) == data


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(data=st.binary(max_size=100))
def test_any_bytes_are_decrypted_or_refused(algorithm: str, data: bytes) -> None:
    try:
        cipher(algorithm).decrypt(data)
    except ValueError as error:
        assert KEY not in str(error)  # noqa: PT017 - what else it raises fails the test


@pytest.mark.parametrize(
    ("made", "written"),
    [
        # openssl enc -aes-256-cbc -K <hex of the key> -iv <hex of the IV>
        (Cipher(KEY, "aes-256-cbc", IV), "6858185fec26fbdcc2c281626f03a6c0c9bd78af5c7415ea62b5d1e018538922"),
        (Cipher(KEY, "AES-256-CTR", IV.encode()), "26bbf7219b6d2e646f5f15d64f94e433adde034eb4137bdaa9e4e3500b"),
        (Cipher(KEY.encode(), "aes256ecb"), "79bbdf026fc53adc45282de8dedceae5521f30b6322eae89bb8debbaddeb188a"),
        # openssl enc -aes-256-cbc -md md5 -nosalt -k moleculer: as Node's createCipher, which 0.14 uses without an IV
        (Cipher("moleculer"), "ba87da19f88fbb207c1139817c652dc4506caf14d8ac07ef996140e58fd80480"),
    ],
)
def test_encryption_is_that_of_openssl(made: Cipher, written: str) -> None:
    assert made.encrypt(b'{"ver":"4","sender":"node-1"}').hex() == written


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("", "aes-256-cbc", IV), "password is empty"),
        (("short", "aes-256-cbc", IV), "password has 5 bytes, expected 32 for aes-256-cbc"),
        ((KEY, "aes-256-cbc", "short"), "IV has 5 bytes, expected 16 bytes"),
        ((KEY, "aes-256-ecb", IV), "IV has 16 bytes, expected none"),
        ((KEY, "des3", IV), "algorithm is 'des3', expected aes-128"),
    ],
)
def test_wrong_options_of_encryption_say_what_is_wrong_and_never_the_secret(
    arguments: tuple[str, str, str], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        Cipher(*arguments)
    assert KEY not in str(caught.value)


def test_another_key_is_noticed_or_gives_noise() -> None:
    other = Cipher(KEY[::-1], "aes-256-cbc", IV)
    for n in range(300):
        written = cipher("aes-256-cbc").encrypt(b'{"sender":"%d"}' % n)
        try:
            assert other.decrypt(written)[:1] != b"{"
        except ValueError as error:
            assert "the key or the IV is another" in str(error)  # noqa: PT017 - one of both must be
