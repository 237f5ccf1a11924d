"""The same call, answered with the other means that Asterisk offers."""
