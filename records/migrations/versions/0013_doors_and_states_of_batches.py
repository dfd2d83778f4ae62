"""Doors of recipients, receipts to come, and the states of batches

What was "undelivered" may have arrived, whatever its last try said: an earlier try of the same run may have gone further.
"""

from __future__ import annotations

import zlib

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'

_OUTBOX = sa.table('outbox', sa.column('state', sa.String), sa.column('handles', sa.LargeBinary))
_NO_HANDLES = zlib.compress(b"", 1)


def upgrade() -> None:
    op.create_table('doors',
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('opened_at', sa.String(length=40), nullable=False),
    sa.Column('next_try_at', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.String(length=60), nullable=False),
    sa.Column('next_slot_at', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('recipient')
    )
    op.create_table('awaited',
    sa.Column('batch', sa.String(length=64), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('location', sa.Text(), nullable=False),
    sa.Column('content_digest', sa.String(length=80), nullable=False),
    sa.Column('due_at', sa.String(length=40), nullable=False),
    sa.Column('named', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('batch', 'run')
    )
    state = _OUTBOX.c.state
    op.execute(sa.update(_OUTBOX).where(state == 'partly', _OUTBOX.c.handles == _NO_HANDLES).values(state='refused'))
    op.execute(sa.update(_OUTBOX).where(state.in_(['delivered', 'withdrawn', 'partly'])).values(state='applied'))
    op.execute(sa.update(_OUTBOX).where(state == 'undelivered').values(state='sent'))
