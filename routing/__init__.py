"""Pure choices: days and hours, merge modes, and which caller a free seat takes. Time is an argument."""
