"""Problems in what operators wrote: each has a place, a code, what is wrong and how to mend it.

`docs/problems.md` explains every code with an example.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from settings.places import Place

Severity = Literal["error", "warning"]

CODES: dict[str, str] = {
    "S001": "a file is missing",
    "S002": "a file that belongs to nothing",
    "S003": "a file cannot be read",
    "S004": "not valid YAML",
    "S005": "a part of YAML that settings do not use",
    "S006": "something is written twice",
    "S010": "an unknown key",
    "S011": "something is missing",
    "S012": "a value that is not possible",
    "S013": "the wrong kind of value",
    "S014": "nothing such can be chosen",
    "S020": "no such prompt",
    "S021": "no such menu",
    "S022": "no such skill",
    "S023": "no such number",
    "S024": "no such hours",
    "S025": "no such trunk",
    "S026": "no such seat",
    "S027": "no such agent",
    "S028": "no such centre",
    "S029": "no such shift",
    "S030": "it shadows an emergency number",
    "S031": "two emergency numbers share a key",
    "S032": "an emergency number with fewer than two different trunks",
    "S033": "an emergency number is blocked",
    "S034": "a seat that is called like a number",
    "S035": "an agent who is called like a seat",
    "S036": "an emergency or internal number among the goals of ordinary calls",
    "S037": "agents could call abroad",
    "S038": "a drill that calls somebody else",
    "S040": "a menu with no way to a person",
    "S041": "a menu that nothing leads to",
    "S042": "a circle that callers cannot leave",
    "S043": "a transfer that comes back to us",
    "S044": "a key of waiting callers that does nothing",
    "S050": "modes whose dates are not in order",
    "S051": "not exactly one primary number",
    "S052": "nothing is said outside the hours",
    "S053": "callers are taken to a number that is not served",
    "S054": "hours that cannot be",
    "S055": "holidays are not known",
    "S060": "a skill that nothing asks for",
    "S061": "nobody can answer",
    "S062": "two skills for one language",
    "S063": "a step of the wait that cannot be",
    "S064": "a seat where nobody can ever take calls",
    "S065": "a duty officer who cannot be reached",
    "S066": "hours for which nobody is planned",
    "S067": "fewer planned than must be on duty",
    "S068": "a line of the roster that never holds",
    "S070": "a prompt without text or recording",
    "S071": "a prompt that is not in every language",
    "S072": "a recording that cannot be used",
    "S073": "a counted prompt that cannot be spoken",
    "S080": "ports that collide",
    "S081": "RTP ports that cannot be used",
    "S082": "no such time zone",
    "S083": "a trunk that cannot work",
    "S084": "no trunk brings calls",
    "S090": "a block that has ended",
    "S092": "records that cannot be sent",
    "S093": "records in the clear",
    "S094": "audio that would outlive its record",
    "S095": "confidential calls in the clear",
    "S102": "HTTP in the clear",
    "S103": "a certificate that cannot be used",
    "S104": "Asterisk's manager interface beyond this machine",
}
"""Code → what it means in general."""

WARNINGS = frozenset({"S037", "S041", "S055", "S060", "S064", "S066", "S067", "S071", "S084", "S090", "S093", "S095"})
"""Codes of what works, but is hardly meant. All others keep settings from being used."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong: where, what, and what to do about it."""

    place: Place
    code: str
    matter: str
    mend: str

    @property
    def severity(self) -> Severity:
        return "warning" if self.code in WARNINGS else "error"

    def __str__(self) -> str:
        return f"{self.place} {self.code} {self.matter}: {self.mend}"


def meant(written: str, known: Iterable[str]) -> str | None:
    """The known name that `written` most likely means."""
    near = get_close_matches(written, sorted(known), n=1, cutoff=0.6)
    return near[0] if near else None


def choose(written: str, known: Iterable[str], otherwise: str) -> str:
    """A mend for a name that is not known: the nearest one, or `otherwise` with a few that are."""
    names = sorted(known)
    if near := meant(written, names):
        return f"did you mean '{near}'?"
    if not names:
        return otherwise
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"{otherwise}, or write one of: {shown}"
