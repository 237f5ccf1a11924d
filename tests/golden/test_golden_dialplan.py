"""The whole example city, compiled: what a change does to it is seen as text.

`pytest tests/golden --golden-write` writes the files anew; read the difference before it is kept.
"""

from pathlib import Path

import pytest

from dialplan.compile import check_jumps
from settings.check import load
from tests.support.compiled_city import compiled

GOLDEN = Path(__file__).parent / "example_city"


def test_the_example_city_compiles_to_the_files_that_are_kept(project: Path, request: pytest.FixtureRequest) -> None:
    made = compiled(load(project / "config"))
    if request.config.getoption("--golden-write"):
        GOLDEN.mkdir(exist_ok=True)
        for old in GOLDEN.glob("*.conf"):
            old.unlink()
        for name, text in made.files.items():
            (GOLDEN / name).write_text(text, encoding="utf-8")
    kept = {path.name: path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.conf")}
    assert kept.keys() == made.files.keys()
    for name, text in made.files.items():
        assert text == kept[name], f"{name} changed: look at the difference, then run with --golden-write"


def test_the_example_city_has_no_jump_that_leads_nowhere(project: Path) -> None:
    assert check_jumps(compiled(load(project / "config"))) == []
