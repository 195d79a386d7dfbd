"""onnxruntime, imported with its telemetry off.

Since 1.31 onnxruntime writes a device identifier to the user's cache folder and reports to its vendor. It
reads ``ORT_DISABLE_TELEMETRY`` once, while it is imported, so the variable is set for that moment only and
the environment is left as it was. A user who has set the variable keeps the value.
"""

import os

__all__ = ["ort"]

_VARIABLE = "ORT_DISABLE_TELEMETRY"

_set_here = _VARIABLE not in os.environ
if _set_here:
    os.environ[_VARIABLE] = "1"
try:
    import onnxruntime as ort
finally:
    if _set_here:
        del os.environ[_VARIABLE]
