"""Consents of subjects"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('consents',
    sa.Column('subject', sa.String(length=60), nullable=False),
    sa.Column('purpose', sa.String(length=80), nullable=False),
    sa.Column('issued_on', sa.String(length=10), nullable=False),
    sa.Column('expires_on', sa.String(length=10), nullable=False),
    sa.Column('revoked_on', sa.String(length=10), nullable=True),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('document', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('subject', 'purpose', 'issued_on')
    )
    with op.batch_alter_table('consents', schema=None) as batch_op:
        batch_op.create_index('consents_by_purpose', ['purpose', 'issued_on'], unique=False)
