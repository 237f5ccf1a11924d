"""The HTTP interface against its own description: requests that schemathesis makes up, right ones and wrong ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.served_interface import interface
from web.api import ROUTES
from web.desk import Role

LONG = os.environ.get("HOTLINE_ATTACK") == "long"
PHASES = "coverage,fuzzing" if LONG else "coverage"
"""Not `stateful`: the description has no links; those that schemathesis infers put masked keys where ids belong."""
EXAMPLES = "25" if LONG else "1"
SECONDS = 1200 if LONG else 150


@pytest.mark.timeout(SECONDS + 30)
@pytest.mark.parametrize("role", list(Role) if LONG else [Role.SUPERVISOR], ids=lambda role: role.value)
def test_every_answer_is_as_described_whatever_is_asked(tmp_path: Path, role: Role) -> None:
    # An agent's PIN is needed from agents only, which a description cannot say.
    unless = ["--exclude-checks", "positive_data_acceptance"] if role is Role.AGENT else []
    with interface(tmp_path) as here:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                *("run", f"{here.api}/openapi.json"),
                *("--header", f"Authorization: Bearer {here.tokens[role]}"),
                *("--checks", "all", *unless),
                *("--exclude-path", "/events"),  # It ends only when somebody ends it.
                *("--phases", PHASES, "--max-examples", EXAMPLES, "--seed", "12345"),
                *("--no-shrink", "--continue-on-failure", "--warnings", "off", "--request-timeout", "30"),
            ],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert f"Tested: {len(ROUTES) - 2}\n" in told  # All but /events, and the description itself.
    assert not any(secret in told for secret in here.tokens.values())
