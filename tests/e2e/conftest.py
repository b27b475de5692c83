"""Real servers and a real mesh for tests. Whatever a test starts ends with it, by process id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mesh import JsMesh
from tests.e2e.redis_server import Certificates, RedisServer, free_port, make_certificates
from tests.program import home, run

__all__ = ["home", "run"]

StartRedis = Callable[..., RedisServer]
StartMesh = Callable[..., JsMesh]


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[StartRedis]:
    """Starts servers: ``start_redis(password=..., certificates=..., options=...)``."""
    servers: list[RedisServer] = []

    def start(**arguments: Any) -> RedisServer:
        server = RedisServer(tmp_path, free_port(), **arguments)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def redis_server(start_redis: StartRedis) -> RedisServer:
    """One plain server."""
    return start_redis()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for a server with TLS."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def js_mesh(tmp_path: Path) -> Iterator[StartMesh]:
    """Makes meshes, without nodes: ``js_mesh(server.url, namespace=..., serializer=...)``."""
    meshes: list[JsMesh] = []

    def make(url: str, **arguments: Any) -> JsMesh:
        mesh = JsMesh(url, tmp_path, **arguments)
        meshes.append(mesh)
        return mesh

    yield make
    for mesh in meshes:
        mesh.stop()
