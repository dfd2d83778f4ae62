"""Registers the quality reports with Airflow (entry point airflow.plugins): the pages and an item in the menu."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class GatewayPlugin(AirflowPlugin):
    """Quality reports under /quality/, and 质量报告 in the left bar."""

    name = "gateway"
    # The trailing slash is needed, or the page's relative links point elsewhere.
    external_views = [  # noqa: RUF012  (Airflow declares it as an instance's, and drops from it what clashes)
        {"name": "质量报告", "href": "/quality/", "destination": "nav", "url_route": "quality", "nav_top_level": True}]

    # Asked for by the API server alone. Every scheduler and task process loads the plugin too, and should not pay the
    # seconds that importing the API's security costs.
    @cached_property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        from console.pages import application

        return [{"app": application(), "url_prefix": "/quality", "name": "Quality reports"}]
