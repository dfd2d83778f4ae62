"""What was read back of a public site after it confirmed a takedown"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table('probes',
    sa.Column('recipient', sa.String(length=80), nullable=False),
    sa.Column('entry', sa.String(length=80), nullable=False),
    sa.Column('record', sa.String(length=40), nullable=False),
    sa.Column('at', sa.String(length=40), nullable=False),
    sa.Column('visible', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('recipient', 'entry', 'record')
    )
