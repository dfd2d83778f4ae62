"""Pages for compliance staff: the quality report of a night, and its place in Airflow's menu."""
