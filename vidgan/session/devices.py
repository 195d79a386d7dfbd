"""Devices, and what keeps them from coming up."""

import contextlib
import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from vidgan.errors import DeviceError
from vidgan.models.registry import Precision
from vidgan.session.runtime import ort

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
RealDevice = Literal["cpu", "cuda", "tensorrt"]
GPU = Literal["cuda", "tensorrt"]

ONNXRUNTIME_VERSION: str = ort.__version__

PROVIDERS: dict[RealDevice, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}


def resolve_device(device: Device) -> RealDevice:
    """The device to try: ``auto`` is CUDA where a driver and the provider's libraries are there.

    Raises:
        DeviceError: CUDA or TensorRT was asked for and cannot come up, with what is missing.
    """
    if device == "cpu":
        return "cpu"
    if device == "tensorrt":
        if lacking := missing_for_tensorrt():
            raise DeviceError(f"TensorRT is not usable here: {lacking}")
        return "tensorrt"
    missing = missing_for_cuda()
    if missing and device == "cuda":
        raise DeviceError(f"CUDA is not usable here: {missing}")
    return "cpu" if missing else "cuda"


def missing_for_cuda() -> str | None:
    """What keeps CUDA from coming up, in words; None if nothing that can be seen does."""
    if PROVIDERS["cuda"] not in ort.get_available_providers():
        return "this onnxruntime is built without CUDA; install onnxruntime-gpu"
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return "no NVIDIA driver is installed"
    with quiet_stderr():
        ort.preload_dlls()
    for library in ("libcudart.so.13", "libcublasLt.so.13", "libcudnn.so.9"):
        if sys.platform == "linux" and not _loads(library):
            return f"the library {library} is missing; pip install 'vidgan[cuda]'"
    return None


def missing_for_tensorrt() -> str | None:
    """What keeps TensorRT from coming up, in words; None if nothing that can be seen does."""
    if missing := missing_for_cuda():
        return missing
    if PROVIDERS["tensorrt"] not in ort.get_available_providers():
        return "this onnxruntime is built without TensorRT"
    for library in ("libnvinfer.so.10", "libnvinfer_plugin.so.10", "libnvonnxparser.so.10"):
        if sys.platform == "linux" and not _loads(library) and not _loads(_in_wheel(library)):
            return f"the library {library} is missing; pip install 'vidgan[tensorrt]'"
    return None


def tensorrt_version() -> int:
    """As the library gives it, e.g. 101303; 0 where it cannot be asked."""
    name = "nvinfer_10.dll" if sys.platform == "win32" else "libnvinfer.so.10"
    try:
        return int(ctypes.CDLL(name).getInferLibVersion())
    except OSError:
        return 0


def _in_wheel(library: str) -> str:
    """Where NVIDIA's wheel has it, from which onnxruntime finds it once it is loaded."""
    wheel = importlib.util.find_spec("tensorrt_libs")
    folders = [] if wheel is None else wheel.submodule_search_locations or []
    return str(Path(folders[0]) / library) if folders else library


def preferred_precision(device: RealDevice) -> Precision:
    """The variant of a bundled model that is fastest on the device."""
    return "int8" if device == "cpu" else "float16"


def cores() -> int:
    """Cores that this process may use; of the machine, where the system does not say."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """onnxruntime writes a provider's failure to file descriptor 2; we say it in our own words."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
