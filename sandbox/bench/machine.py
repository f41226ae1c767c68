"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Processor, cores, versions, and how busy it was: wall times mean little on a busy machine."""
    from envs.kernels import mode

    load = os.getloadavg()[0] if sys.platform != "win32" else None
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": None if load is None else round(load, 1),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "torch": version("torch"),
        "stable-baselines3": version("stable-baselines3"),
        "gymnasium": version("gymnasium"),
        "pygame-ce": version("pygame-ce"),
        "kernels": mode(),
    }


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process so far, None where /proc is not there."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
