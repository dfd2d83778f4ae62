"""Connectors 归集: collect what a department hands in, catalogued columns only, by one of three exchange methods."""

from connectors.base import ContractBreach, Partition, Source, SourceUnavailable, Window
from connectors.methods import collect, collect_file, partitions

__all__ = [
    "ContractBreach",
    "Partition",
    "Source",
    "SourceUnavailable",
    "Window",
    "collect",
    "collect_file",
    "partitions",
]
