"""Which merge mode holds for a number on a day."""

from datetime import date

from settings.shapes import MergeMode, Number


def mode_on(number: Number, day: date) -> MergeMode | None:
    """The mode that began last; None before the first one begins: the number is not served yet."""
    begun = [mode for mode in number.modes if mode.since <= day]
    return max(begun, key=lambda mode: mode.since, default=None)
