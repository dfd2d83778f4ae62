"""Owed before it is sent: a recipient may be owed several staged batches of a feed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    # Made anew, since SQLite cannot change a primary key; what is owed now is kept.
    op.rename_table('owed', 'owed_before')
    op.create_table('owed',
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('feed', sa.String(length=120), nullable=False),
    sa.Column('path', sa.String(length=400), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('recipient', 'feed', 'path', name='owed_batches')
    )
    op.execute("INSERT INTO owed (recipient, feed, path, run, rows, sha256) "
               "SELECT recipient, feed, path, run, rows, sha256 FROM owed_before")
    op.drop_table('owed_before')
