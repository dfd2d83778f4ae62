"""`python -m ledger_audit` is `ledger-audit`."""

import sys

from ledger_audit.command import main

sys.exit(main())
