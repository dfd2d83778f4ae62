"""Airflow's secrets, each made once with mode 0600: `python -m gateway.secret NAME` prints one (airflow.cfg asks so)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from pathlib import Path

NAMES = ("fernet_key", "jwt_secret", "api_secret_key")
USERS = ("admin", "engineer", "compliance")


def secret(name: str) -> str:
    """The secret of that name; made at the first call. Raises KeyError for a name airflow.cfg does not use."""
    if name not in NAMES:
        raise KeyError(f"no secret is called {name}; there are {', '.join(NAMES)}")
    return _once(folder() / name, base64.urlsafe_b64encode(os.urandom(32)).decode("ascii"))


def passwords() -> Path:
    """The file with the passwords of Airflow's users, plain text because Airflow reads it so; made at the first call."""
    path = folder() / "simple_auth.json"
    _once(path, json.dumps({user: secrets.token_urlsafe(12) for user in USERS}))
    return path


def folder() -> Path:
    """Where they lie: var/secrets below AIRFLOW_HOME, 0700."""
    place = Path(os.environ["AIRFLOW_HOME"]) / "var" / "secrets"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def _once(path: Path, value: str) -> str:
    """Of several processes that come first together one wins, and none reads a file half written."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(value)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in NAMES:
        sys.stdout.write(secret(sys.argv[1]))
    else:
        sys.exit(f"usage: python -m gateway.secret {'|'.join(NAMES)}")
