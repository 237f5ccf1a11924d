"""Where one instance keeps what it needs: everything is under its data folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """The places under one data folder. Two instances with two data folders share nothing."""

    data: Path

    @property
    def asterisk(self) -> Path:
        """Asterisk's own etc, log, spool, run and lib folders."""
        return self.data / "asterisk"

    @property
    def etc(self) -> Path:
        return self.asterisk / "etc"

    @property
    def spool(self) -> Path:
        return self.asterisk / "spool"

    @property
    def journal(self) -> Path:
        """The CEL file, which Asterisk writes and the keeper follows."""
        return self.asterisk / "log" / "cel-custom" / "journal.csv"

    @property
    def prompts(self) -> Path:
        return self.data / "prompts"

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"

    @property
    def recordings_key(self) -> Path:
        """The keys of encrypted recordings, unless they are in the environment."""
        return self.data / "recordings.key"

    @property
    def records(self) -> Path:
        """The SQLite file with records and timelines."""
        return self.data / "records.db"

    @property
    def secrets(self) -> Path:
        return self.data / "secrets.yaml"

    @property
    def tokens(self) -> Path:
        """Who may use the HTTP interface."""
        return self.data / "tokens.json"

    @property
    def installed(self) -> Path:
        """The settings that the installed configuration was compiled from."""
        return self.asterisk / "settings.json"

    @property
    def control(self) -> Path:
        """The socket at which the supervisor takes wishes."""
        return self.data / "supervisor.sock"

    @property
    def alive(self) -> Path:
        """Touched every few seconds while a supervisor runs; gone when it ended as it was told to."""
        return self.data / "supervisor.alive"

    @property
    def asterisk_seen(self) -> Path:
        """Touched every few seconds while Asterisk answers the controller."""
        return self.data / "asterisk.seen"

    @property
    def reserve(self) -> Path:
        """Space that is given up for the records when the disk is nearly full."""
        return self.data / "space.reserve"

    @property
    def supervisor_lock(self) -> Path:
        return self.data / "supervisor.lock"

    @property
    def controller_lock(self) -> Path:
        return self.data / "controller.lock"
