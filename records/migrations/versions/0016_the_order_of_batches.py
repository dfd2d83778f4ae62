"""The order of batches: the line of the ledger that told of each last. Those of before come first, in the order of their times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'


def upgrade() -> None:
    told = sa.Column('told', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), server_default='0', nullable=False)
    op.add_column('outbox', told)
