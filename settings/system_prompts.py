"""The prompts that the system itself speaks: every city must have a text for each."""

SYSTEM_PROMPTS: dict[str, str] = {
    "no_key": "nothing was pressed in a menu",
    "wrong_key": "a key was pressed that the menu does not have",
    "to_person": "a person takes the call next",
    "please_wait": "the caller enters the waiting room",
    "still_waiting": "said now and then while the caller waits",
    "emergency": "an emergency call is being handed over",
    "emergency_operator": "no emergency trunk answered; an operator of ours takes the call",
    "unknown_number": "the dialled number is not served",
    "blocked": "the caller is blocked",
    "full": "no more ordinary calls can be let in",
    "unreachable": "a transfer to another centre failed; a person takes the call",
}
"""Id → when it is heard."""
