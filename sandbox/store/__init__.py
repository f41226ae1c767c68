"""The ledger of feedback: `Store` writes it, `Reader` reads it from another process.

Those two need SQLAlchemy and are imported when first asked for: a window opens before it needs them.
"""

from typing import TYPE_CHECKING, Any

from sandbox.store.outline import Line, count_standing, standing_lines
from sandbox.store.provenance import Provenance
from sandbox.store.trouble import StoreError

if TYPE_CHECKING:
    from sandbox.store.read import Reader
    from sandbox.store.store import Store

__all__ = ["Line", "Provenance", "Reader", "Store", "StoreError", "count_standing", "standing_lines"]


def __getattr__(name: str) -> Any:
    if name == "Store":
        from sandbox.store.store import Store

        return Store
    if name == "Reader":
        from sandbox.store.read import Reader

        return Reader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
