"""What the tests of stores have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recordings.store import Store
from tests.support import postgres_server
from tests.support.keeping import Surroundings
from tests.support.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def _postgres() -> Iterator[PostgresServer]:
    with postgres_server.running() as server:
        yield server


@pytest.fixture
def postgres(_postgres: PostgresServer) -> PostgresServer:
    """A PostgreSQL server that answers, whatever the test before did to it."""
    _postgres.go_on()
    _postgres.start()
    return _postgres


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    """What the keeper follows, written by the test."""
    return Surroundings(tmp_path)


@pytest.fixture
def store(around: Surroundings) -> Iterator[Store]:
    """What is kept of it."""
    with Store(around.database) as opened:
        yield opened
