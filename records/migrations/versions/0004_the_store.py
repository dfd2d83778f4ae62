"""The store of accepted records and the archive of catalogue editions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('stored',
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('record', sa.String(length=40), nullable=False),
    sa.Column('since', sa.String(length=40), nullable=False),
    sa.Column('until', sa.String(length=40), nullable=True),
    sa.Column('digest', sa.String(length=40), nullable=False),
    sa.Column('salt', sa.String(length=32), nullable=True),
    sa.Column('block', sa.String(length=200), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('edition', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('entry', 'record', 'since')
    )
    op.create_index('stored_now', 'stored', ['entry', 'until'], unique=False)
    op.create_index('stored_by_record', 'stored', ['record'], unique=False)
    op.create_table('editions',
    sa.Column('edition', sa.String(length=64), nullable=False),
    sa.Column('first_seen', sa.String(length=40), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('edition')
    )
