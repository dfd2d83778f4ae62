"""The store of accepted records and the archive of catalogue editions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('blocks',
    sa.Column('block', number, nullable=False),
    sa.Column('path', sa.String(length=200), nullable=False),
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('edition', sa.String(length=40), nullable=False),
    sa.Column('since', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('block'),
    sa.UniqueConstraint('path')
    )
    op.create_index('blocks_by_entry', 'blocks', ['entry'], unique=False)
    op.create_table('stored',
    sa.Column('record', sa.String(length=40), nullable=False),
    sa.Column('block', number, autoincrement=False, nullable=False),
    sa.Column('until', sa.String(length=40), nullable=True),
    sa.Column('digest', sa.String(length=40), nullable=False),
    sa.Column('salt', sa.String(length=32), nullable=True),
    sa.PrimaryKeyConstraint('record', 'block')
    )
    op.create_index('stored_by_block', 'stored', ['block'], unique=False)
    op.create_table('editions',
    sa.Column('edition', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('first_seen', sa.String(length=40), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('edition')
    )
