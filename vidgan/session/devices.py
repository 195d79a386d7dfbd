"""Devices, and what keeps them from coming up."""

import contextlib
import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from vidgan.errors import DeviceError
from vidgan.models.registry import Precision
from vidgan.session.runtime import ort

RealDevice = Literal["cpu", "cuda", "tensorrt", "coreml", "directml", "openvino", "webgpu"]
Device = Literal["auto"] | RealDevice
DEVICES: tuple[RealDevice, ...] = get_args(RealDevice)
GPU = Literal["cuda", "tensorrt"]

ONNXRUNTIME_VERSION: str = ort.__version__

PROVIDERS: dict[RealDevice, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
}

_PLUGINS: dict[RealDevice, str] = {"openvino": "onnxruntime_ep_openvino", "webgpu": "onnxruntime_ep_webgpu"}
"""Packages that bring a provider to any onnxruntime as a library."""

_INSTALL: dict[RealDevice, str] = {
    "coreml": "it comes with onnxruntime on macOS",
    "directml": "it is for Windows: pip install onnxruntime-directml in place of onnxruntime-gpu",
    "openvino": "pip install 'vidgan[openvino]'",
    "webgpu": "pip install 'vidgan[webgpu]'",
}


def resolve_device(device: Device) -> RealDevice:
    """The device to try: ``auto`` is CUDA where a driver and the provider's libraries are there.

    Raises:
        DeviceError: a device was asked for and cannot come up, with what is missing.
    """
    if device not in ("auto", *DEVICES):
        raise DeviceError(f"device must be one of {', '.join(('auto', *DEVICES))}, got {device!r}")
    if device == "auto":
        return "cpu" if missing_for_cuda() else "cuda"
    if missing := missing_for(device):
        raise DeviceError(f"{_TITLES.get(device, device)} is not usable here: {missing}")
    return device


_TITLES: dict[RealDevice, str] = {
    "cuda": "CUDA", "tensorrt": "TensorRT", "coreml": "CoreML", "directml": "DirectML",
    "openvino": "OpenVINO", "webgpu": "WebGPU",
}  # fmt: skip


def missing_for(device: RealDevice) -> str | None:
    """The reason why a device cannot be used, in words; None if nothing that can be seen does."""
    if device == "cpu":
        return None
    if device == "cuda":
        return missing_for_cuda()
    if device == "tensorrt":
        return missing_for_tensorrt()
    if PROVIDERS[device] in ort.get_available_providers():
        return None
    if device not in _PLUGINS or importlib.util.find_spec(_PLUGINS[device]) is None:
        return f"this onnxruntime is built without it; {_INSTALL[device]}"
    try:
        found = plugin_devices(device)
    except DeviceError as exc:
        return str(exc)
    return None if found else f"the package {_PLUGINS[device].replace('_', '-')} finds no device"


@cache
def plugin_devices(device: RealDevice) -> tuple[Any, ...]:
    """Devices of a provider that is a plug-in, as onnxruntime describes them; nothing for one that is built in.

    Raises:
        DeviceError: its library cannot be loaded.
    """
    if device not in _PLUGINS or PROVIDERS[device] in ort.get_available_providers():
        return ()
    package = importlib.import_module(_PLUGINS[device])
    try:
        with quiet_stderr():
            ort.register_execution_provider_library(_PLUGINS[device], package.get_library_path())
            found = [each for each in ort.get_ep_devices() if each.ep_name == PROVIDERS[device]]
    except Exception as exc:  # onnxruntime's errors share no base class.
        raise DeviceError(f"its library cannot be loaded: {' '.join(str(exc).split())[:160]}") from exc
    return tuple(found)


def missing_for_cuda() -> str | None:
    """The reason why CUDA cannot be used, in words; None if nothing that can be seen does."""
    if PROVIDERS["cuda"] not in ort.get_available_providers():
        return _without_cuda()
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


def _without_cuda() -> str:
    """The reason for a runtime without CUDA: two packages have the same files, and the last one installed wins."""
    both = all(_is_installed(name) for name in ("onnxruntime", "onnxruntime-gpu"))
    if both:
        return (
            "onnxruntime and onnxruntime-gpu are both installed, and the one without CUDA has replaced the other; "
            "pip uninstall onnxruntime onnxruntime-gpu, then pip install onnxruntime-gpu"
        )
    return (
        "this onnxruntime is built without CUDA; pip uninstall onnxruntime, then pip install onnxruntime-gpu"
    )


def _is_installed(distribution: str) -> bool:
    from importlib import metadata  # It takes 25 ms, and only an explanation needs it.

    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def missing_for_tensorrt() -> str | None:
    """The reason why TensorRT cannot be used, in words; None if nothing that can be seen does."""
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
    """The variant of a bundled model to take for the device: the fastest one, where it was measured."""
    return {"cpu": "int8", "cuda": "float16", "tensorrt": "float16"}.get(device, "float32")  # type: ignore[return-value]


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
