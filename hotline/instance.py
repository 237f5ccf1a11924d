"""One instance: a city's settings, its data folder, its Asterisk, its passwords."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from asterisk.ami import AmiAccess
from asterisk.found import Asterisk, find
from asterisk.process import AsteriskProcess
from dialplan.compile import check_jumps, compile_city
from dialplan.names import AMI_USER
from dialplan.server import AsteriskPlaces
from hotline.failing import CannotGoOn
from hotline.folders import Folders
from prompts.catalogue import Catalogue
from recordings.keys import KeyRing
from recordings.vault import Vault
from settings.check import load
from settings.secrets import Secrets, load_or_create
from settings.shapes import Settings


@dataclass(frozen=True, slots=True)
class Instance:
    """Everything that is needed to run one city on this machine."""

    settings: Settings
    folders: Folders
    secrets: Secrets
    asterisk: Asterisk
    prompts: Path
    """The folder with the sounds; several instances may share one."""

    @classmethod
    def of(cls, config: Path, data: Path) -> Self:
        """The instance of a settings folder.

        Raises SettingsWrong, SecretsWrong, SecretsOpenToOthers, NoAsterisk, TooOld.
        """
        return cls.made(load(config), data)

    @classmethod
    def made(cls, settings: Settings, data: Path, *, prompts: Path | None = None) -> Self:
        """The instance of settings that were checked already. Raises as `of`."""
        folders = Folders(data.resolve())
        secrets = load_or_create(folders.secrets, settings)
        return cls(settings, folders, secrets, find(), prompts or folders.prompts)

    @classmethod
    def installed(cls, data: Path) -> Self:
        """The instance whose configuration was installed last: what the running Asterisk was given."""
        folders = Folders(data.resolve())
        try:
            settings = Settings.model_validate_json(folders.installed.read_bytes())
        except FileNotFoundError:
            raise CannotGoOn(f"nothing is installed in {data}", "run 'hotline run' first") from None
        return cls.made(settings, data)

    def catalogue(self) -> Catalogue:
        """The prompts of this city."""
        return Catalogue(self.settings, self.prompts)

    def today(self) -> date:
        """The day it is in the city."""
        return datetime.now(ZoneInfo(self.settings.city.timezone)).date()

    def compile_to(self, folder: Path) -> tuple[Path, ...]:
        """Compiles the settings into `folder`, each file put into place whole; the files.

        Prompts must have been built. Raises dialplan.compile.SoundMissing, dialplan.render.Unsafe.
        """
        catalogue = self.catalogue()
        compiled = compile_city(
            self.settings, self.secrets, self._places(folder, catalogue), catalogue.sounds(), self.today()
        )
        if wrong := check_jumps(compiled):
            raise AssertionError(f"the compiler made jumps that lead nowhere: {wrong}")
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(_put(folder / name, text) for name, text in compiled.files.items())

    def install(self) -> None:
        """Compiles into the instance's own folder and notes what it was compiled from.

        Raises as `compile_to` and `vault`: without its key a hotline that encrypts must not begin.
        """
        self.vault()
        self.compile_to(self.folders.etc)
        for folder in (self.folders.spool / "monitor", self.folders.journal.parent, self.folders.asterisk / "lib"):
            folder.mkdir(parents=True, exist_ok=True)
        _put(self.folders.installed, self.settings.model_dump_json(by_alias=True, indent=1))

    def vault(self) -> Vault:
        """How audio is kept; when it is to be encrypted and there is no key yet, one is made.

        Raises KeysOpenToOthers, KeysWrong, OSError.
        """
        encrypts = self.settings.server.recording.encrypted
        load = KeyRing.load_or_create if encrypts else KeyRing.load
        return Vault(load(self.folders.recordings_key), encrypts)

    def process(self) -> AsteriskProcess:
        """The Asterisk of what was installed."""
        return AsteriskProcess(self.asterisk, self.folders.etc / "asterisk.conf")

    def ami_access(self) -> AmiAccess:
        ami = self.settings.server.ami
        return AmiAccess(str(ami.address), ami.port, AMI_USER, self.secrets.ami)

    def booted_utc_ms(self) -> int | None:
        """When the running Asterisk was started; None while there is none."""
        try:
            return (self.folders.asterisk / "run" / "asterisk.pid").stat().st_mtime_ns // 1_000_000
        except FileNotFoundError:
            return None

    def listens(self) -> tuple[tuple[str, str], ...]:
        """What this instance listens at, by the settings: (what, where)."""
        server = self.settings.server
        return (
            ("telephones and trunks (SIP)", f"udp {server.sip.address}:{server.sip.port}"),
            ("media (RTP)", f"udp {server.sip.address}:{server.rtp.first}-{server.rtp.last}"),
            ("Asterisk's manager (AMI)", f"tcp {server.ami.address}:{server.ami.port}"),
            ("health page, HTTP interface", f"{server.http.scheme}://{server.http.address}:{server.http.port}/"),
        )

    def _places(self, etc: Path, catalogue: Catalogue) -> AsteriskPlaces:
        places = AsteriskPlaces.under(
            self.folders.asterisk,
            modules=self.asterisk.modules_dir,
            data=self.asterisk.data_dir,
            music=catalogue.music_folder(),
        )
        return replace(places, etc=etc.resolve())


def _put(path: Path, text: str) -> Path:
    """Written beside and renamed into place, readable by its owner alone: some files hold passwords."""
    beside = path.with_name(f".{path.name}.new")
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    return path
