"""What the last reconciliation with a recipient found, record by record"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('discrepancies',
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('handle', sa.String(length=80), nullable=False),
    sa.Column('record', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('since', sa.String(length=40), nullable=False),
    sa.Column('repaired_at', sa.String(length=40), nullable=True),
    sa.PrimaryKeyConstraint('recipient', 'entry', 'handle')
    )
