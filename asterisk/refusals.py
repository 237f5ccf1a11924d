"""What Asterisk's refusals mean: the same words in all versions from 20 to 23."""

from collections.abc import Sequence

from asterisk.port import Answer

_WORST_FIRST = (Answer.FAILED, Answer.NO_CHANNEL, Answer.DONE)
_GONE = ("hannel does not exist", "channel not up", "No such caller", "No such channel")


def worst(answers: Sequence[Answer]) -> Answer:
    """Of several commands that are one to whoever asked."""
    return next(answer for answer in _WORST_FIRST if answer in answers)


def meaning_of(refusal: str) -> Answer:
    if any(part in refusal for part in _GONE):
        return Answer.NO_CHANNEL
    if "Already requested" in refusal:
        return Answer.DONE
    return Answer.FAILED
