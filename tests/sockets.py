"""Another way into a database that listens on a Unix socket, for tests that stand in between."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa


def way_into(url: str, folder: Path) -> tuple[str, Path, sa.URL]:
    """The socket of a database, another place for it, and the URL through that place."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "mysql":
        place = folder / "socket"
        return str(parsed.query["unix_socket"]), place, parsed.update_query_dict({"unix_socket": str(place)})
    name = f".s.PGSQL.{parsed.port or 5432}"
    return f"{parsed.query['host']}/{name}", folder / name, parsed.update_query_dict({"host": str(folder)})
