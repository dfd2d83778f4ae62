"""The reports inside Airflow: a small application that serves known files to viewers and administrators, and to nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep, requires_authenticated
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse

from console.report import NAME
from gateway.settings import from_environment

READERS = frozenset({"viewer", "admin"})
# The pages need nothing but their own style; whatever else a browser could be talked into loading is forbidden.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def may_read(user: GetUserDep) -> None:
    """Lets viewers and administrators pass; raises 403 for any other role, and for users without one."""
    role: Any = getattr(user, "role", None)
    if str(role).lower() not in READERS:
        raise HTTPException(403, "quality reports are for viewers and administrators")


def application() -> FastAPI:
    """The application, every page of it behind a login (401) and a role (403)."""
    # Airflow adds no authentication of its own to a plugin's application: without these there would be none.
    app = FastAPI(dependencies=[Depends(requires_authenticated()), Depends(may_read)],
                  docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def index(folder: Annotated[Path, Depends(reports)]) -> FileResponse:
        return _file(folder, "index.html")

    @app.get("/{name}")
    def report(name: str, folder: Annotated[Path, Depends(reports)]) -> FileResponse:
        if name != "index.html" and not NAME.fullmatch(name):
            raise HTTPException(404, "no such report")
        return _file(folder, name)

    return app


def reports() -> Path:
    """Where the reports of this gateway lie."""
    return from_environment().home / "reports"


def _file(folder: Path, name: str) -> FileResponse:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise HTTPException(404, "no such report; a report is written at the end of a night")
    return FileResponse(path, media_type="text/html; charset=utf-8", headers=_HEADERS)
