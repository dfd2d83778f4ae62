"""Alembic's entry: runs the migrations of the state database on the URL it is given."""

from __future__ import annotations

from alembic import context

from records import database, schema

engine = database.connect(context.config.attributes["url"])
try:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=schema.METADATA, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
finally:
    engine.dispose()  # else a connection stays open at the server for as long as the process lives
