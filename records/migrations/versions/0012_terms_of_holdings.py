"""Under which terms each holding was sent, as of which content, and what was withheld under them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('terms',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('fields', sa.Text(), nullable=False),
    sa.Column('edition', sa.String(length=40), nullable=False),
    sa.Column('key_versions', sa.Text(), nullable=False),
    sa.Column('decided_on', sa.String(length=10), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('terms_by_digest', 'terms', ['recipient', 'entry', 'digest'], unique=True)
    op.create_table('withheld',
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('record', sa.String(length=40), nullable=False),
    sa.Column('terms', sa.Integer(), nullable=False),
    sa.Column('as_of', _BIG, nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('due_on', sa.String(length=10), nullable=True),
    sa.PrimaryKeyConstraint('recipient', 'entry', 'record')
    )
    op.add_column('holdings', sa.Column('terms', sa.Integer(), nullable=True))
    op.add_column('holdings', sa.Column('as_of', _BIG, nullable=True))
    op.add_column('holdings', sa.Column('ends_on', sa.String(length=10), nullable=True))
    op.add_column('holdings', sa.Column('due_on', sa.String(length=10), nullable=True))
