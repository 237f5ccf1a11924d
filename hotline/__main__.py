"""`python -m hotline`, which is what bin/hotline runs."""

import sys

try:
    from hotline.cli import app

    app(prog_name="hotline")
except KeyboardInterrupt:
    # Ctrl-C while still importing: nothing was started.
    sys.exit(130)
