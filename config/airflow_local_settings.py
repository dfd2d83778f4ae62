"""Airflow reads this first in every process: the scheduler, and a Celery worker, load once what every task needs.

Their tasks are forks and find it loaded; without it each task of a night pays seconds for importing Great Expectations.
"""

from __future__ import annotations

import sys

if any(name in ("scheduler", "worker") for name in sys.argv[1:3]):
    import gateway.night  # noqa: F401
