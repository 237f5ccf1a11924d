"""`python -m hotline`, which is what bin/hotline runs."""

from hotline.cli import app

app(prog_name="hotline")
