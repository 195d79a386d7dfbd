"""Encoding to AV1 leaves the process as it was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_CODE = """
import json, os, subprocess, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.sinks import open_sink

info = VideoInfo(width=160, height=90, time_base=Fraction(1, 25), frame_rate=Fraction(25), bit_depth=10)
with open_sink(Path(sys.argv[1]), info) as sink:
    for index in range(4):
        image = RgbImage(np.full((90, 160, 3), 60 + 20 * index, np.uint8))
        sink.write(Frame(image=image, pts=index, time_base=Fraction(1, 25), duration=1))
    policies = [os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")]
    child = subprocess.check_output([sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"])
print(json.dumps({"threads": policies, "child": int(child), "log": os.environ.get("SVT_LOG")}))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux")
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="for root alone SVT-AV1 asks for it"
)
def test_no_thread_and_no_child_has_real_time_priority(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _CODE, str(tmp_path / "out.webm")]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len(found["threads"]) > 4
    assert {*found["threads"], found["child"]} == {os.SCHED_OTHER}
    assert found["log"] is None
