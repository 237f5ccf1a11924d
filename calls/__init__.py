"""What happens to a call: its events, and the pure fold from events to its state."""
