"""Each batch keeps the handles it named"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.add_column('outbox', sa.Column('handles', sa.LargeBinary(), nullable=True))
    op.drop_index('outbox_by_recipient', table_name='outbox')
    op.create_index('outbox_by_recipient', 'outbox', ['recipient', 'entry', 'state'], unique=False)
