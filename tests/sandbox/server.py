"""A PostgreSQL server for a test; without one a failure under CI, elsewhere a skip that says so."""

from __future__ import annotations

import os

import pytest

from sandbox.bench.durability import postgres_server


class Server(postgres_server.Server):
    def __init__(self, fsync: bool = False) -> None:
        try:
            super().__init__(fsync)
        except postgres_server.NoServerHere as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
