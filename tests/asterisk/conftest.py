"""A real Asterisk with the example city, one instance a test module at most."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered prompts, shared by all test processes of this run."""
    own = tmp_path_factory.getbasetemp()
    # With several test processes each has a folder of its own in that of the run.
    run = own.parent if own.name.startswith("popen-") else own
    return run / "sounds"
