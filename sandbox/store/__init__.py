"""The ledger of feedback: `Store` writes it, `Reader` reads it from another process."""

from sandbox.store.read import Line, Reader, count_standing, standing_lines
from sandbox.store.store import Provenance, Store
from sandbox.store.trouble import StoreError

__all__ = ["Line", "Provenance", "Reader", "Store", "StoreError", "count_standing", "standing_lines"]
