"""What every test has: no test may leave a process, a socket or a file open (warnings are errors)."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-write", action="store_true", help="write the golden files anew")


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT
