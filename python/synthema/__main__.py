"""``python -m synthema``: the command line."""

import sys

from synthema.cli import main

sys.exit(main())
