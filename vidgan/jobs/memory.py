"""Memory of this process."""

from pathlib import Path


def resident_mb() -> float | None:
    """In 10⁶ bytes; None where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS:")), None)
