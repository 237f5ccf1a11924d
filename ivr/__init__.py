"""What numbers, menus and keys mean, without Asterisk: a graph, and a walk through it."""
