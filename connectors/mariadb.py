"""MariaDB and MySQL as they must be opened for reading."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from connectors.table import CONNECT_SECONDS

# A department's server that neither answers nor hangs up is given up on: PyMySQL itself would wait for ever.
_SILENT_SECONDS = 600
# No access to the server, the database, the table, a column of it.
_REFUSED = (1044, 1045, 1142, 1143)


def open_for_reading(url: sa.URL) -> sa.Engine:
    """Connections that can write nothing, see the table as of one moment, and are told times in China's.

    Statements are in utf8mb4, whatever the tables are in.
    """
    timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": _SILENT_SECONDS}
    engine = sa.create_engine(url.set(drivername=f"{url.get_backend_name()}+pymysql"), poolclass=NullPool,
                              isolation_level="REPEATABLE READ", connect_args={"charset": "utf8mb4", **timeouts})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute("SET SESSION time_zone = '+08:00'")

    return engine


def is_refusal(error: BaseException | None) -> bool:
    """True of what the server says to an account that may not read."""
    return bool(error and error.args and error.args[0] in _REFUSED)
