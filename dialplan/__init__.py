"""Settings → everything Asterisk reads: values by subject, one renderer, one check of the jumps."""
