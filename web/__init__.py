"""HTTP: what engineers, agents and operators see in a browser."""
