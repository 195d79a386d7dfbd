"""Functions of CUDA that onnxruntime's Python lacks: pinned memory, and device names.

Its functions are those of the CUDA Runtime API and the CUDA Driver API, called through ctypes, which lets
other threads work meanwhile.
"""

import ctypes
import sys
import weakref
from functools import cache

import numpy as np
from numpy.typing import NDArray

_TO_DEVICE = 1
_FROM_DEVICE = 2
_NON_BLOCKING = 1
"""A stream that does not wait for what others do."""


class CudaError(Exception):
    """A function of CUDA's failed; its name, and the number that it gave."""


@cache
def runtime() -> ctypes.CDLL | None:
    """The runtime that onnxruntime has loaded; None where there is none."""
    try:
        return ctypes.CDLL("cudart64_13.dll" if sys.platform == "win32" else "libcudart.so.13")
    except OSError:
        return None


@cache
def device_name() -> str:
    """The name of the first GPU, as its driver tells it, e.g. ``"NVIDIA H100"``.

    Raises:
        CudaError: there is none.
    """
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError as exc:
        raise CudaError("no NVIDIA driver") from exc
    name = ctypes.create_string_buffer(256)
    _check("cuInit", driver.cuInit(0))
    _check("cuDeviceGetName", driver.cuDeviceGetName(name, 256, 0))
    return name.value.decode(errors="replace")


class Pinned:
    """Memory of the machine that stays where it is, so that the bus can read and write it by itself.

    Its copies have a stream of their own: they go on while something else is processed.

    Args:
        size: bytes.

    Raises:
        CudaError: there is no runtime, or it gives no such memory.
    """

    def __init__(self, size: int) -> None:
        library = runtime()
        if library is None:
            raise CudaError("the CUDA runtime is not loaded")
        self._library = library
        self._stream, self._address = ctypes.c_void_p(), ctypes.c_void_p()
        flags = ctypes.c_uint(_NON_BLOCKING)
        self._do("cudaStreamCreateWithFlags", ctypes.byref(self._stream), flags)
        weakref.finalize(self, library.cudaStreamDestroy, self._stream)
        self._do("cudaHostAlloc", ctypes.byref(self._address), ctypes.c_size_t(size), ctypes.c_uint(0))
        weakref.finalize(self, library.cudaFreeHost, self._address)
        assert self._address.value is not None
        place = (ctypes.c_uint8 * size).from_address(self._address.value)
        self._bytes: NDArray[np.uint8] = np.ctypeslib.as_array(place)

    def send(self, images: NDArray[np.uint8], address: int) -> None:
        """Copies to an address of the device's; it is there when this returns."""
        np.copyto(self._bytes.reshape(images.shape), images)
        self._copy(ctypes.c_void_p(address), self._address, _TO_DEVICE)

    def fetch(self, address: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """Copies from an address of the device's."""
        self._copy(self._address, ctypes.c_void_p(address), _FROM_DEVICE)
        return self._bytes.reshape(shape).copy()

    def _copy(self, target: ctypes.c_void_p, source: ctypes.c_void_p, way: int) -> None:
        size = ctypes.c_size_t(self._bytes.size)
        self._do("cudaMemcpyAsync", target, source, size, ctypes.c_int(way), self._stream)
        self._do("cudaStreamSynchronize", self._stream)

    def _do(self, name: str, *arguments: object) -> None:
        status = getattr(self._library, name)(*arguments)
        if status:
            self._library.cudaGetLastError()  # Or onnxruntime would take it for its own.
        _check(name, status)


def _check(name: str, status: int) -> None:
    if status:
        raise CudaError(f"{name} gave {status}")
