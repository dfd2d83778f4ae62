"""A sample world to try the gateway on: invented departments and recipients that speak the real protocols."""

from gateway.sample.creation import create
from gateway.sample.second_day import next_day
from gateway.sample.state import held
from gateway.sample.watching import know_ledger
from gateway.sample.world import World

__all__ = ["World", "create", "held", "know_ledger", "next_day"]
