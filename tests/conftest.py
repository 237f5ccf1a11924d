"""What every test has."""

import os
import signal
from pathlib import Path

import hypothesis
import pytest

PROJECT = Path(__file__).resolve().parent.parent

REAL_TIME = (
    "tests/asterisk/",
    "tests/attack/",
    "tests/chaos/",
    "tests/contract/",
    "tests/unit/test_phones_",
    "tests/unit/test_hotline_",
)
"""Where tests drive real processes and sockets in real time. Such a test may be tried a second time on a
busy machine; the end of the run lists each one that was, and why (docs/decisions/0012)."""


# A shell's background job ignores Ctrl-C, and so would every process that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples at each run, and no clock: a test fails because of the code, or not at all.
# HYPOTHESIS_PROFILE=explore looks for new examples.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-write", action="store_true", help="write the golden files anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(PROJECT).as_posix().startswith(REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=int(os.environ.get("HOTLINE_RERUNS", "1")), reruns_delay=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why each test that was tried again had failed: a test that often needs it is to be mended."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"tried again: {report.nodeid}", sep="_")
        lines = report.longreprtext.splitlines()
        terminalreporter.write_line("\n".join(lines[-40:]))


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered prompts, shared by all test processes of this run."""
    own = tmp_path_factory.getbasetemp()
    # With several test processes each has a folder of its own in that of the run.
    run = own.parent if own.name.startswith("popen-") else own
    return run / "sounds"
