"""Airflow's login and the plugin's pages on a free port of this machine, in a process of its own: Airflow's settings are
those of a process and would reach other tests.

Run as: python reports_server.py. Prints one line of JSON: the port, a token for each role, the menu items. Ends when its
input ends.
"""

from __future__ import annotations

import json
import socket
import sys
import threading

import uvicorn
from airflow import settings
from airflow.api_fastapi.app import init_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models.revoked_token import RevokedToken
from fastapi import FastAPI

from console.plugin import GatewayPlugin


def main() -> None:
    """Serves until the parent closes our input."""
    RevokedToken.__table__.create(settings.engine)  # the one table that a login is looked up in
    app = FastAPI()
    manager = init_auth_manager(app)
    plugin = GatewayPlugin()
    (registered,) = plugin.fastapi_apps
    app.mount(registered["url_prefix"], registered["app"])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    roles = ("viewer", "admin", "op", "user", "nonsense", "")
    tokens = {role: manager.generate_jwt(SimpleAuthManagerUser(username="ann", role=role)) for role in roles}
    print(json.dumps({"port": listening.getsockname()[1], "tokens": tokens,
                      "views": plugin.external_views}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
