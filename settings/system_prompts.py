"""The prompts that the system itself speaks: every city must have a text for each."""

from collections.abc import Iterator, Mapping

from settings.shapes import Prompt

SYSTEM_PROMPTS: dict[str, str] = {
    "no_key": "nothing was pressed in a menu",
    "wrong_key": "a key was pressed that the menu does not have",
    "to_person": "a person takes the call next",
    "please_wait": "the caller enters the waiting room",
    "still_waiting": "said now and then while the caller waits",
    "position": "the caller's place in the line",
    "position_many": "the caller's place in the line is beyond 30",
    "estimate": "the wait that is to be expected, in minutes",
    "estimate_unknown": "the wait cannot be told, or is longer than half an hour",
    "call_back_kept": "the caller hangs up and is called back; the place is kept",
    "call_back_no_number": "the caller's number is not known, so it cannot be called back",
    "call_back_hello": "a caller who asked for it is called back",
    "to_centre": "another centre takes the call after a wait",
    "to_duty": "the duty officer takes the call",
    "transferring": "an agent passes the call on",
    "emergency": "an emergency call is being handed over",
    "emergency_operator": "no emergency trunk answered; an operator of ours takes the call",
    "drill": "an emergency centre hears that this is a test of the line and nobody needs help",
    "unknown_number": "the dialled number is not served",
    "blocked": "the caller is blocked",
    "full": "no more ordinary calls can be let in",
    "unreachable": "a transfer to another centre failed; a person takes the call",
    "survey": "the caller is asked for a mark from 1 to 5",
    "survey_again": "no mark was given, or none from 1 to 5",
    "survey_message": "the caller may leave a message, and ends it with #",
    "survey_thanks": "the survey is over",
    "desk_agent": "a seat's telephone asks for the agent's number",
    "desk_pin": "a seat's telephone asks for the PIN",
    "desk_reason": "a seat's telephone asks for the reason of a pause",
    "desk_on": "the agent has signed on",
    "desk_off": "the agent has signed off",
    "desk_paused": "the agent is paused",
    "desk_ready": "the agent is ready again",
    "desk_wrong": "the agent's number, the PIN or the reason is wrong",
    "desk_taken": "somebody else is signed on at the seat",
    "desk_locked": "too many wrong PINs were given",
    "desk_not_on": "nobody is signed on at the seat",
    "desk_away": "the controller does not answer",
}
"""Id → when it is heard."""

SAID_MINUTES = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30)
"""Waits that can be told. A longer one is told as unknown."""

COUNT = "{n}"
"""Stands in a counted prompt's text for the number."""

COUNTED_PROMPTS: dict[str, tuple[int, ...]] = {"position": tuple(range(1, 31)), "estimate": SAID_MINUTES}
"""Prompts that are spoken once for each of these numbers: `position_1` to `position_30`."""


def spoken_prompts(written: Mapping[str, Prompt]) -> dict[str, Prompt]:
    """Every prompt by the id under which it is played: a counted one under each of its numbers.

    `position_1` is what `position` says with its number in it. Where somebody wrote `position_1` itself,
    that wins, in each language in which it is written.
    """
    counted = {ident: prompt for counted in COUNTED_PROMPTS for ident, prompt in _counted(counted, written)}
    alone = {ident: prompt for ident, prompt in written.items() if ident not in COUNTED_PROMPTS}
    return {**alone, **{ident: _joined(alone.get(ident), prompt) for ident, prompt in counted.items()}}


def _counted(ident: str, written: Mapping[str, Prompt]) -> Iterator[tuple[str, Prompt]]:
    if (prompt := written.get(ident)) is None:
        return
    for number in COUNTED_PROMPTS[ident]:
        zh, en = (text and text.replace(COUNT, str(number)) for text in (prompt.zh, prompt.en))
        yield f"{ident}_{number}", Prompt(zh=zh, en=en)


def _joined(own: Prompt | None, counted: Prompt) -> Prompt:
    if own is None:
        return counted
    return Prompt(zh=own.zh or counted.zh, en=own.en or counted.en, recordings=own.recordings)
