"""The command line, and the only place that wires the rooms together."""
