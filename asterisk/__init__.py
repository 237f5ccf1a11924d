"""Everything that touches a running Asterisk; it decides nothing."""
