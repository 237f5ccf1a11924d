"""What may be wrong with an installation: each finding has a code, a weight, what follows from it, and a mend.

`docs/doctor.md` explains every code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Weight(Enum):
    """How much a finding matters."""

    ERROR = "error"
    """Callers, or the proof of what happened to them, suffer now, or will when the next thing fails."""
    WARNING = "warning"
    """All works, but not for ever, or is hardly meant."""
    UNSEEN = "unseen"
    """Something could not be looked at: nobody knows."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code stands for."""

    weight: Weight
    title: str
    follows: str
    """What it means for callers and for their records."""


def _error(title: str, follows: str) -> Meaning:
    return Meaning(Weight.ERROR, title, follows)


def _warning(title: str, follows: str) -> Meaning:
    return Meaning(Weight.WARNING, title, follows)


_OFFERED = "waiting callers are served by Asterisk's own queues: nobody signs on, is called back, or is moved"

CODES: dict[str, Meaning] = {
    "D000": Meaning(Weight.UNSEEN, "something could not be looked at", "nobody knows whether it is well"),
    # --- what runs
    "D001": _error("no supervisor runs", "nobody steers; Asterisk, if it runs, serves alone, and is not started again"),
    "D002": _error("the supervisor does not answer", "nobody starts Asterisk again when it dies"),
    "D003": _error("Asterisk does not run", "no call is answered, emergencies neither"),
    "D004": _error("Asterisk does not answer", "no call is answered until it is started again"),
    "D005": _error("the controller does not run or does not answer", _OFFERED),
    "D006": _error("the controller does not steer", _OFFERED),
    "D007": _error("there is no Asterisk that can be used", "the hotline cannot be started again"),
    "D008": _warning(
        "parts were started again that nobody wanted to be", "each time callers may have waited or been lost"
    ),
    # --- settings
    "D010": _error("the settings cannot be used", "the hotline cannot be started again with them"),
    "D011": _warning("the settings are not live", "callers meet the former ones"),
    "D012": _warning("the settings work, but are hardly meant", "as `hotline check` says of each of them"),
    "D013": _warning(
        "the table of holidays runs out", "later holidays count as ordinary days: closed services seem open"
    ),
    # --- ports
    "D020": _error("nothing listens where it should", "callers, telephones or the controller find nobody there"),
    "D021": _error("another program has our port", "callers, telephones or the controller reach a stranger"),
    "D022": _error("something listens that should not, or wider", "strangers can reach what is meant for this machine"),
    "D023": _error(
        "a door to the outside without a lock", "passwords and callers' numbers cross the network in the clear"
    ),
    "D024": _warning("too few media ports are left", "at full capacity some calls are silent, emergencies among them"),
    # --- files
    "D030": _error("others can read a secret", "whoever has it can call, steer or listen as one of us"),
    "D031": _error("others can read what is kept of calls", "callers' numbers and voices are open to other users"),
    "D032": _error("the hotline cannot use its own files", "what happens to calls may not be written"),
    "D033": _error("a file or folder is missing", "what needs it fails: docs/operating.md says what each is for"),
    "D034": _error("a file of secrets cannot be used", "nobody is let in by it"),
    # --- certificates
    "D040": _error("a certificate or its key cannot be read", "what it protects cannot start"),
    "D041": _error("a key does not fit its certificate", "what it protects cannot start"),
    "D042": _error("a certificate is not valid now", "desks and telephones refuse to connect"),
    "D043": _warning("a certificate ends soon", "from then on desks and telephones refuse to connect"),
    "D044": _warning("a certificate is for another name", "desks that look at the name refuse to connect"),
    # --- clock
    "D050": _warning("the clock is not synchronised", "times in records drift: they may not stand as evidence"),
    "D051": _warning("nobody knows whether the clock is synchronised", "times in records may drift unseen"),
    "D052": _error(
        "the city's time zone is not on this machine", "hours and days are evaluated in UTC: wrong greetings"
    ),
    "D053": _warning("the clock was set while calls went on", "the times of these calls are estimates"),
    # --- disk
    "D060": _error("the disk is nearly full", "nothing more is recorded; next, nothing more is written down"),
    "D061": _warning("the disk will be full soon", "then nothing more is recorded"),
    "D062": _error(
        "the disk has hardly room for more files", "recordings and records cannot be made, however much is free"
    ),
    "D063": _error("a file system is read-only", "nothing is kept of calls"),
    "D064": _warning("spool and recordings are on two disks", "each recording is copied, and needs its space twice"),
    "D065": _warning("the space in reserve is not there", "on a full disk the records go with the recordings"),
    # --- lines
    "D070": _error("no line of an emergency number is reached", "its callers reach our own operators, not the centre"),
    "D071": _error("a line of emergency numbers is not reached", "emergencies hang on what is left"),
    "D072": _error("a line is not reached", "calls over it fail, outwards or from the carrier"),
    "D073": _error("a line does not let us register", "the carrier does not know where to send citizens' calls"),
    "D074": _warning(
        "a line of an emergency number was not tried of late", "whether the centre really answers is not known"
    ),
    "D075": _error("the last drill over a line was not answered", "an emergency over this line may not be either"),
    # --- names
    "D080": _error("a host's name does not resolve", "what leads there fails, at the latest after the next start"),
    "D081": _error("this machine's own name does not resolve", "Asterisk stops for seconds at calls"),
    # --- what is kept
    "D090": _error("what is kept is not what was kept", "these records prove nothing any more"),
    "D091": _error("a record runs for more than a day", "what became of that call is not told"),
    "D092": _error("the journal is not being kept", "records lack what happened since"),
    "D093": _error("records are not sent on", "the archive lacks them; they are on this machine alone"),
    "D094": _error("the archive is not reached", "records collect on this machine alone"),
    "D095": _warning("there is no young back-up", "if this disk dies, so do the records"),
    "D096": _error("calls are kept longer than they may", "what citizens said is kept against the rules"),
    "D097": _error("the records cannot be read", "nobody can say what became of any call"),
    "D098": _error("the archive refuses records", "it will never have these calls"),
    "D099": _warning("lines of the journal were put aside", "the records of these calls may say less"),
    # --- limits
    "D100": _error("Asterisk may open too few files", "calls beyond that fail, emergencies among them"),
    "D101": _warning("fewer are on duty than must be", "callers wait longer than they should"),
    "D102": _error("records cannot be written", "what happens to calls now stands in Asterisk's journal alone"),
}
"""Code → what it means in general."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is not well here."""

    code: str
    matter: str
    """What was seen, with the names of this installation."""
    mend: str
    """A command, or a sentence."""

    @property
    def meaning(self) -> Meaning:
        return CODES[self.code]

    @property
    def weight(self) -> Weight:
        return self.meaning.weight


class Verdict(Enum):
    """What all findings say together."""

    HEALTHY = "healthy"
    """Warnings may be among them."""
    ILL = "not healthy"
    UNCLEAR = "not all could be looked at"

    @property
    def exit_code(self) -> int:
        match self:
            case Verdict.HEALTHY:
                return 0
            case Verdict.ILL:
                return 1
            case Verdict.UNCLEAR:
                return 2


def verdict(findings: Iterable[Finding]) -> Verdict:
    """An error outweighs what was not seen, and that outweighs warnings."""
    weights = {finding.weight for finding in findings}
    if Weight.ERROR in weights:
        return Verdict.ILL
    return Verdict.UNCLEAR if Weight.UNSEEN in weights else Verdict.HEALTHY
