"""The installation that is looked at."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from hotline.failing import CannotGoOn
from hotline.folders import Folders
from settings.shapes import Settings


@dataclass(frozen=True, slots=True)
class Case:
    """One installation, at one moment."""

    settings: Settings
    """Those that were installed: what the running Asterisk was given."""
    folders: Folders
    config: Path
    """The operators' folder: what the next start is given."""
    at: datetime
    """Aware."""

    @classmethod
    def of(cls, data: Path, config: Path | None) -> Self:
        """config: where the installed settings were read from, unless given. Raises CannotGoOn."""
        folders = Folders(data.resolve())
        try:
            settings = Settings.model_validate_json(folders.installed.read_bytes())
        except FileNotFoundError:
            raise CannotGoOn(f"nothing is installed in {data}", "run 'hotline run' first, or give --data") from None
        except ValidationError:
            mend = "start it anew with this version, or use the doctor of that one"
            raise CannotGoOn(f"{folders.installed} was written by another version", mend) from None
        return cls(settings, folders, config or Path(settings.folder), datetime.now(UTC))

    @property
    def zone(self) -> tzinfo:
        """The city's; UTC where the machine does not know it."""
        try:
            return ZoneInfo(self.settings.city.timezone)
        except (OSError, ValueError, ZoneInfoNotFoundError):
            return UTC

    @property
    def utc_ms(self) -> int:
        """The moment, in ms since the epoch."""
        return round(self.at.timestamp() * 1000)
