"""The rivals: Asterisk's own queues, with a dialplan of the same steps, written by hand."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.figures import Skills
from bench.traced import WAITS


def dialplan(queue_of: Mapping[str, str], greetings: Mapping[str, Path]) -> str:
    """extensions.conf. Number → its queue; number → the sound of its greeting."""
    lines = ["[arrival]"]
    for number, queue in queue_of.items():
        lines += [
            f"exten => {number},1,Answer()",
            f" same => n,Playback({greetings[number]})",
            f" same => n,Set(CALLERID(name)={number})",
            f" same => n,CELGenUserEvent({WAITS},number={number})",
            f" same => n,Queue({queue})",
            " same => n,Hangup()",
        ]
    return "\n".join([*lines, "[seat]", "exten => _X.,1,Hangup()", ""])


def queues(needs: Mapping[str, Skills], seats: Mapping[str, Skills], *, strategy: str) -> str:
    """queues.conf: queue → the skills its callers need. A seat that can serve several queues is a member of each.

    Raises ValueError for a queue called `general`: that is the section of what holds for all.
    """
    if "general" in needs:
        raise ValueError("no queue can be called 'general': call it otherwise")
    return "\n".join(
        ["[general]", "persistentmembers=no", "autofill=yes", *_each(needs, seats, strategy), ""],
    )


def _each(needs: Mapping[str, Skills], seats: Mapping[str, Skills], strategy: str) -> Iterable[str]:
    for queue, skills in needs.items():
        yield from (
            f"[{queue}]",
            f"strategy={strategy}",
            "musicclass=hold",
            "timeout=15",
            "retry=1",
            "weight=0",
            "wrapuptime=0",
            "ringinuse=no",
            "autofill=yes",
            "joinempty=yes",
            "leavewhenempty=no",
        )
        yield from (f"member => PJSIP/{seat},0,{seat},PJSIP/{seat}" for seat, has in seats.items() if skills <= has)
