"""
The log of events: its port, and the logs that implement it.

Everything else that ``memp`` knows is computed from it and can be thrown away.
"""

from memp.log.base import MAIN, EventLog, Pending, Staged, VectorKey
from memp.log.duckdb import DuckDBLog, verify_store
from memp.log.identity import Identity
from memp.log.memory import MemoryLog
from memp.log.verify import Problem, VerifyReport

__all__ = [
    "MAIN",
    "DuckDBLog",
    "EventLog",
    "Identity",
    "MemoryLog",
    "Pending",
    "Problem",
    "Staged",
    "VectorKey",
    "VerifyReport",
    "verify_store",
]
