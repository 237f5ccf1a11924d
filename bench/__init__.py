"""Measurements and simulations over the very code that serves calls."""
