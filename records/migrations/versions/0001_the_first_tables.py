"""The first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None


def upgrade() -> None:
    op.create_table('findings',
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('partition', sa.String(length=200), nullable=False),
    sa.Column('field', sa.String(length=80), nullable=False),
    sa.Column('rule', sa.String(length=80), nullable=False),
    sa.Column('severity', sa.String(length=10), nullable=False),
    sa.Column('tested', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('lines', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('run', 'partition', 'field', 'rule')
    )
    op.create_table('holdings',
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('record', sa.String(length=40), nullable=False),
    sa.Column('handle', sa.String(length=40), nullable=False),
    sa.Column('digest', sa.String(length=40), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('edition', sa.String(length=40), nullable=False),
    sa.Column('since', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('recipient', 'entry', 'record')
    )
    op.create_table('ledger',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('at', sa.String(length=40), nullable=False),
    sa.Column('event', sa.String(length=40), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('feed', sa.String(length=120), nullable=False),
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('previous', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('seq')
    )
    with op.batch_alter_table('ledger', schema=None) as batch_op:
        batch_op.create_index('ledger_by_run', ['run', 'event'], unique=False)

    op.create_table('ledger_head',
    sa.Column('one', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('one')
    )
    op.create_table('outbox',
    sa.Column('batch', sa.String(length=64), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('feed', sa.String(length=120), nullable=False),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=60), nullable=False),
    sa.Column('changed_at', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('batch', 'run')
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('outbox_by_recipient', ['recipient', 'state'], unique=False)

    op.create_table('owed',
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('feed', sa.String(length=120), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('recipient', 'feed')
    )
    op.create_table('quarantine',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('feed', sa.String(length=120), nullable=False),
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('partition', sa.String(length=200), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=60), nullable=False),
    sa.Column('reasons', sa.Text(), nullable=False),
    sa.Column('first_seen', sa.String(length=40), nullable=False),
    sa.Column('last_seen', sa.String(length=40), nullable=False),
    sa.Column('expires_on', sa.String(length=10), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('quarantine', schema=None) as batch_op:
        batch_op.create_index('quarantine_by_feed', ['feed', 'reason'], unique=False)

    op.create_table('runs',
    sa.Column('run', sa.String(length=80), nullable=False),
    sa.Column('feed', sa.String(length=120), nullable=False),
    sa.Column('night', sa.String(length=10), nullable=False),
    sa.Column('window_start', sa.String(length=40), nullable=False),
    sa.Column('window_end', sa.String(length=40), nullable=False),
    sa.Column('trigger', sa.String(length=40), nullable=False),
    sa.Column('edition', sa.String(length=40), nullable=False),
    sa.Column('opened_at', sa.String(length=40), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.PrimaryKeyConstraint('run')
    )
    with op.batch_alter_table('runs', schema=None) as batch_op:
        batch_op.create_index('runs_by_feed', ['feed', 'opened_at'], unique=False)

    op.create_table('withdrawn',
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('record', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('document', sa.String(length=200), nullable=False),
    sa.Column('since', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('entry', 'record')
    )
    # The ledger starts with its head in place, so that two first writers queue like all later ones.
    op.execute("INSERT INTO ledger_head (one, seq, hash) VALUES (1, 0, '" + "0" * 64 + "')")
