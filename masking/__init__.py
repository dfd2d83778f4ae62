"""Masking 脱敏: turns what a recipient may have into what may stand at the door."""

from masking.mask import EDITION, MaskContext, mask

__all__ = ["EDITION", "MaskContext", "mask"]
