"""The page for one subject: what is held of it and who got it (PIPL art. 45)."""

from __future__ import annotations

from typing import Any

from console.report import render
from gateway.people import PURPOSES


def page(told: dict[str, Any]) -> str:
    """The subject's report as one self-contained page in Chinese and English. It holds the subject's own data: hand it to nobody else."""
    return render("subject.html", told=told, purposes=PURPOSES)
