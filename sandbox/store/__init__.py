"""The ledger of feedback: `Store` writes it, `Reader` reads it from another process.

Those two need SQLAlchemy and are imported when first asked for: a window opens before it needs them.
"""

from typing import TYPE_CHECKING, Any

from sandbox.store.provenance import Provenance
from sandbox.store.store_errors import StoreError
from sandbox.store.summary import RecordSummary, count_standing, standing_summaries

if TYPE_CHECKING:
    from sandbox.store.feedback_store import Store
    from sandbox.store.reader import Reader

__all__ = [
    "Provenance",
    "Reader",
    "RecordSummary",
    "Store",
    "StoreError",
    "count_standing",
    "standing_summaries",
]


def __getattr__(name: str) -> Any:
    if name == "Store":
        from sandbox.store.feedback_store import Store

        return Store
    if name == "Reader":
        from sandbox.store.reader import Reader

        return Reader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
