"""What must hold between the parts of the settings, beyond the shape of each file."""
