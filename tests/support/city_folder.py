"""A city's settings as a folder on the disk, for commands that are run as a user would."""

import json
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from settings.shapes import Settings
from tests.support.quick_city import EXAMPLE


def write_city(settings: Settings, folder: Path) -> None:
    """The example city's files; numbers, menus, hours, emergencies and blocked callers of `settings` are not written.

    It is written as JSON, which is YAML, too.
    """
    shutil.copytree(EXAMPLE, folder)
    _write(folder / "server.yaml", _plain(settings.server))
    _write(folder / "trunks.yaml", {ident: _plain(trunk) for ident, trunk in settings.trunks.items()})
    _write(folder / "seats.yaml", _plain(settings.answering))
    _write(folder / "skills.yaml", {ident: _plain(skill) for ident, skill in settings.skills.items()})
    _write(folder / "agents.yaml", _plain(settings.agents))
    _write(folder / "service.yaml", _plain(settings.service))
    _write(folder / "shifts.yaml", _plain(settings.shifts))
    _write(folder / "prompts.yaml", _plain(settings.prompts))


def _plain(shape: BaseModel) -> Any:
    return shape.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
