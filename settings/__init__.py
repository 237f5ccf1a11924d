"""What operators edit: read, checked, and turned into values that know their place."""
