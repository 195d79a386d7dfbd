"""Another process run to its end, and the time and memory that it took."""

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidgan.errors import VidganError

_POLL_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class ProcessUsage:
    """One run of a command.

    Attributes:
        wall, cpu: seconds.
        peak_mb: the most memory that it had, in 10⁶ bytes; None where the system does not say.
        output: what it printed.
    """

    wall: float
    cpu: float
    peak_mb: float | None
    output: str


def run_command(command: Sequence[str]) -> ProcessUsage:
    """Runs another process to its end.

    Raises:
        VidganError: it failed.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(command, stdout=printed, stderr=complaints)
        try:
            cpu, peak = _waited_for(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - started
        for file in (printed, complaints):
            file.seek(0)
        if process.returncode:
            raise VidganError(f"{' '.join(command)} failed: {complaints.read().strip()[-2000:]}")
        return ProcessUsage(wall=wall, cpu=cpu, peak_mb=peak, output=printed.read())


def _waited_for(process: "subprocess.Popen[bytes]") -> tuple[float, float | None]:
    """Seconds of the processor that it took, and the most memory that it had."""
    if not hasattr(os, "wait4"):
        before = os.times()
        process.wait()
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4]), None  # Of children, user and system.
    peak: float | None = None
    done, status, usage = os.wait4(process.pid, os.WNOHANG)
    while not done:
        peak = max(filter(None, (peak, _high_water_mb(process.pid))), default=None)
        time.sleep(_POLL_SECONDS)
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, peak


def _high_water_mb(pid: int) -> float | None:
    """The most memory that a process has had so far, where the system says so.

    What wait4() says would count what the parent had when it made the process.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), None)
