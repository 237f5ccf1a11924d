"""`compile --rehearse`: the configuration tried in a second Asterisk, on ports of its own."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from asterisk.candidate import rehearse as boot
from hotline.failing import CannotGoOn
from hotline.folders import Folders
from hotline.instance import Instance
from hotline.ports import on_free_ports
from hotline.progress import Steps


async def rehearse(instance: Instance, steps: Steps) -> None:
    """Boots what would go live, and tells what Asterisk complains about.

    Raises CannotGoOn when it does not boot, or complains: what goes live should do neither.
    """
    own = Path(tempfile.mkdtemp(prefix="hotline-"))  # Not under the data folder: the path must be short.
    try:
        candidate = replace(instance, settings=on_free_ports(instance.settings), folders=Folders(own))
        with steps.step("compiling for other ports"):
            candidate.install()
        with steps.step("booting a second Asterisk") as remark:
            found = await boot(candidate.asterisk, candidate.folders.etc / "asterisk.conf")
            remark(f"Asterisk {candidate.asterisk.version}")
    finally:
        shutil.rmtree(own)
    if found.failure is not None:
        raise CannotGoOn(f"it would not start: {found.failure}", "mend the settings, then rehearse again")
    if found.complaints:
        said = "\n".join(f"  {one}" for one in found.complaints)
        raise CannotGoOn(f"Asterisk complains:\n{said}\n", "mend the settings, then rehearse again")
