"""How a telephone or a trunk's far end behaves when it is called."""

from dataclasses import dataclass

from phones.g711 import Wave


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Rings, and answers after a while."""

    after_s: float = 0.0
    says: Wave | None = None
    """Spoken once the call is answered."""
    again: bool = False
    """Whether it is said over and over."""
    hangs_up_after_s: float | None = None
    """Counted from the answer; None: it stays until the other side hangs up."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Rings and never answers."""

    after_s: float = 0.0
    """Until then the caller hears nothing of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rejects:
    """Refuses the call."""

    status: int = 486
    cause: int | None = None
    """Q.850, told in a Reason header."""
    says: Wave | None = None
    """Spoken before, without an answer (early media): carriers tell so why."""
    to: str | None = None
    """With a 3xx: the URI that the caller is sent to."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Does not react to calls at all."""

    alive: bool = False
    """Whether it still answers OPTIONS: a line that looks well and carries nothing."""


Behaviour = Answers | Rings | Rejects | Silent
