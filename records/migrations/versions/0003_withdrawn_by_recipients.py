"""Withdrawn by recipients: what a batch does to the records it names, and whether a record is held or marked"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    # Every batch until now brought, and every holding is held without a mark.
    op.add_column('outbox', sa.Column('effect', sa.String(length=20), nullable=False, server_default='bring'))
    op.add_column('holdings', sa.Column('state', sa.String(length=20), nullable=False, server_default='held'))
