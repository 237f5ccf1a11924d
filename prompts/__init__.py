"""What callers hear: from the operator's texts to sound files that Asterisk plays.

A text goes this way: `text` writes numbers, dates, amounts and symbols out as they are said;
`pinyin` finds the pronunciation, the operator's own list first; `speak` has it spoken by espeak-ng,
one process a prompt; `sound` makes telephone sound of it. `catalogue` knows every prompt, and which
of them is not built yet. A recording made by a person takes the place of the synthesised voice.
"""
