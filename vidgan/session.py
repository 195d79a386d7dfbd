"""The only place that imports onnxruntime: devices, sessions, and the truth about both."""

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vidgan.errors import DeviceError, ModelError
from vidgan.model import BUNDLED, ModelSpec, Precision
from vidgan.planes import Planes

Device = Literal["auto", "cpu", "cuda"]

ONNXRUNTIME_VERSION: str = ort.__version__

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_FATAL = 4

_SHARE_OF_MEMORY = 0.8
"""Of the machine's, for models; frames and the system need some too."""


class Session:
    """One loaded model on one device.

    Args:
        spec: the model; it must take and return pictures, ``(N, H, W, 3)`` uint8 RGB.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"``: CUDA where it comes up, else the CPU.
        threads: CPU threads that share one call of :meth:`run`. More shorten a single picture;
            one a call, and a call a core, gets more frames done (``workers``).

    Attributes:
        device: the device that is really used, ``"cpu"`` or ``"cuda"``.
        workers: how many calls of :meth:`run` at a time use the device well.

    Raises:
        DeviceError: CUDA was asked for and does not come up.
        ModelError: onnxruntime does not load the model, or it is of another shape.
    """

    def __init__(self, spec: ModelSpec, *, device: Device = "auto", threads: int = 1) -> None:
        wanted = resolve_device(device)
        self._session = _load(spec, wanted, threads)
        self.spec = spec
        self.device: Literal["cpu", "cuda"] = (
            "cuda" if self._session.get_providers()[0] == _PROVIDERS["cuda"] else "cpu"
        )
        if device == "cuda" and self.device != "cuda":
            raise DeviceError("CUDA did not come up for this model; 'vidgan doctor' says what is missing")
        self.workers = max(1, cores() // threads) if self.device == "cpu" else 1
        self._threads = threads
        self._planar: ort.InferenceSession | None = None
        self._lock = threading.Lock()

    def run(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``(N, H, W, 3)`` uint8 RGB, sides of at least 16 → the same shape and type.

        Raises:
            ModelError: onnxruntime fails on these pictures, or returns another shape.
        """
        try:
            (result,) = self._session.run(None, {self._session.get_inputs()[0].name: pictures})
        except Exception as exc:
            height, width = pictures.shape[1:3]
            raise ModelError(f"{self.spec.file.path}: fails on {width}x{height}: {_line(exc)}") from exc
        if result.shape != pictures.shape:
            raise ModelError(
                f"{self.spec.file.path}: expected pictures of shape {pictures.shape}, got {result.shape}"
            )
        return np.asarray(result)

    @property
    def takes_planes(self) -> bool:
        """Whether there is a variant of the model for :meth:`run_planes`, on this device."""
        return self.spec.planar is not None and self.device == "cpu"

    def run_planes(self, planes: Planes) -> Planes:
        """As :meth:`run` for one picture with even sides, and with less work, since it need not become RGB.

        Raises:
            ModelError: as there, or the variant cannot be loaded.
        """
        spec = self.spec.planar
        assert spec is not None
        with self._lock:
            if self._planar is None:
                self._planar = _load(spec, self.device, self._threads)
        names = [each.name for each in self._planar.get_inputs()]
        given = [planes.luma[np.newaxis], planes.chroma[np.newaxis]]
        try:
            painted = self._planar.run(None, dict(zip(names, given, strict=True)))
        except Exception as exc:
            height, width = planes.luma.shape
            raise ModelError(f"{spec.file.path}: fails on {width}x{height}: {_line(exc)}") from exc
        luma, chroma = (np.asarray(each[0], np.uint8) for each in painted)
        if (luma.shape, chroma.shape) != (planes.luma.shape, planes.chroma.shape):
            raise ModelError(f"{spec.file.path}: returns planes of {luma.shape} and {chroma.shape}")
        return Planes(luma, chroma)


def _load(spec: ModelSpec, device: Literal["cpu", "cuda"], threads: int) -> ort.InferenceSession:
    """A session for a model whose inputs and outputs are those of its layout.

    Raises:
        ModelError: onnxruntime does not load the model, or it is of another shape.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Spinning threads would take the cores that decoder and encoder need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Planned memory is a third more of it, and no faster.
    options.enable_mem_pattern = False
    options.log_severity_level = _FATAL
    # The bound costs a twentieth of the time, which models that came with vidgan need not pay.
    if device == "cpu" and BUNDLED not in spec.file.path.parents and _memory_is_bounded():
        options.add_session_config_entry("session.use_env_allocators", "1")
    providers = [_PROVIDERS["cuda"], _PROVIDERS["cpu"]] if device == "cuda" else [_PROVIDERS["cpu"]]
    try:
        with _quiet_stderr() if device == "cuda" else contextlib.nullcontext():
            session = ort.InferenceSession(
                spec.file.data,
                options,
                providers=providers,
                # To the CPU from the CPU would only be printed.
                enable_fallback=device == "cuda",
            )
        # That a name is no text is found out only by asking for it.
        inputs, outputs = _described(session.get_inputs()), _described(session.get_outputs())
    except Exception as exc:  # onnxruntime's errors share no base class.
        raise ModelError(f"{spec.file.path}: onnxruntime cannot load the model: {_line(exc)}") from exc
    _check_shape({"input": inputs, "output": outputs}, spec)
    return session


def resolve_device(device: Device) -> Literal["cpu", "cuda"]:
    """The device to try: ``auto`` is CUDA where a driver and the provider's libraries are there.

    Raises:
        DeviceError: CUDA was asked for and cannot come up, with what is missing.
    """
    if device == "cpu":
        return "cpu"
    missing = missing_for_cuda()
    if missing and device == "cuda":
        raise DeviceError(f"CUDA is not usable here: {missing}")
    return "cpu" if missing else "cuda"


def missing_for_cuda() -> str | None:
    """What keeps CUDA from coming up, in words; None if nothing that can be seen does."""
    if _PROVIDERS["cuda"] not in ort.get_available_providers():
        return "this onnxruntime is built without CUDA; install onnxruntime-gpu"
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return "no NVIDIA driver is installed"
    with _quiet_stderr():
        ort.preload_dlls()
    for library in ("libcudart.so.13", "libcublasLt.so.13", "libcudnn.so.9"):
        if sys.platform == "linux" and not _loads(library):
            return f"the library {library} is missing; pip install 'vidgan[cuda]'"
    return None


def best_precision(device: Literal["cpu", "cuda"]) -> Precision:
    """The variant of a bundled model that is fastest on the device."""
    return "float16" if device == "cuda" else "int8"


@cache
def _memory_is_bounded() -> bool:
    """Sets what models may take of the CPU's memory, all of them together.

    A few bytes of a model can ask for any amount; where it is not refused, the system gives it until there
    is none, and then ends the process, or another.
    """
    memory = _memory()
    if memory is None:
        return False
    arena = ort.OrtArenaCfg({"max_mem": int(memory * _SHARE_OF_MEMORY)})
    where = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    try:
        ort.create_and_register_allocator(where, arena)
    except Exception:  # Set for this process already; onnxruntime's errors share no base class.
        return False
    return True


def _memory() -> int | None:
    """Bytes that the machine has, or the container where it has fewer; None where the system does not say."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory


def cores() -> int:
    """Cores that this process may use; of the machine, where the system does not say."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


class _Value(NamedTuple):
    """An input or output of a model."""

    name: str
    type: str
    shape: list[int | str | None]


def _described(values: list[ort.NodeArg]) -> list[_Value]:
    return [_Value(value.name, value.type, value.shape) for value in values]


_RANKS = {"rgb": [4], "yuv420": [3, 4]}
_IN_WORDS = {
    "rgb": "one {}, uint8 (N, H, W, 3)",
    "yuv420": "two {}s, uint8 (N, H, W) and (N, H/2, W/2, 2)",
}


def _check_shape(values_of: dict[str, list[_Value]], spec: ModelSpec) -> None:
    for kind, values in values_of.items():
        ranks = [len(value.shape) for value in values]
        if ranks != _RANKS[spec.layout] or any(value.type != "tensor(uint8)" for value in values):
            got = ", ".join(f"{value.type}{value.shape}" for value in values)
            raise ModelError(
                f"{spec.file.path}: a {spec.task} model has {_IN_WORDS[spec.layout].format(kind)}; "
                f"this one has {got}"
            )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _line(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:300]


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
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
