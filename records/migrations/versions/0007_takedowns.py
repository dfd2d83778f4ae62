"""A takedown has an effect, a deadline and somebody who opened it, and may be lifted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.add_column('withdrawn', sa.Column('effect', sa.String(length=20), nullable=False, server_default=''))
    op.add_column('withdrawn', sa.Column('deadline', sa.String(length=10), nullable=False, server_default=''))
    op.add_column('withdrawn', sa.Column('opened_by', sa.String(length=80), nullable=False, server_default=''))
    op.add_column('withdrawn', sa.Column('lifted_at', sa.String(length=40), nullable=True))
    op.add_column('withdrawn', sa.Column('lifted_on', sa.String(length=200), nullable=True))
