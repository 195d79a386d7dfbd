"""The only place that imports onnxruntime: devices, sessions, and the truth about both."""

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vidgan.errors import DeviceError, ModelError
from vidgan.model import BUNDLED, ModelSpec, Precision
from vidgan.planes import Planes
from vidgan.tiles import KNOWN_LIGHT, LIGHT, Tile, affordable_pixels, half, tiles_of

Device = Literal["auto", "cpu", "cuda"]
Pictures = NDArray[np.uint8]

ONNXRUNTIME_VERSION: str = ort.__version__

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_FATAL = 4

_OUT_OF_MEMORY = (
    "Failed to allocate memory",
    "bad allocation",
    "bad_alloc",
    "out of memory",
    "Available memory",
)
"""Words of onnxruntime's and CUDA's errors."""

_LARGE = 1 << 20
"""Pixels of a picture for which memory might not suffice."""

_LEAST_TILE = 1 << 17

_SHARE_OF_MEMORY = 0.8
"""Of the machine's, for models; frames and the system need some too."""


class Session:
    """One loaded model on one device.

    Args:
        spec: the model; it must take and return pictures, ``(N, H, W, 3)`` uint8 RGB.
        device: ``"cpu"``, ``"cuda"``, or ``"auto"``: CUDA where it comes up, else the CPU.
        threads: CPU threads that share one call of :meth:`run`. More shorten a single picture;
            one a call, and a call a core, gets more frames done (``workers``).
        tile_pixels: of a tile, at most; None for what the memory at hand affords. See :mod:`vidgan.tiles`.

    Attributes:
        device: the device that is really used, ``"cpu"`` or ``"cuda"``.
        workers: how many calls of :meth:`run` at a time use the device well.

    Raises:
        DeviceError: CUDA was asked for and does not come up.
        ModelError: onnxruntime does not load the model, or it is of another shape.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        device: Device = "auto",
        threads: int = 1,
        tile_pixels: int | None = None,
    ) -> None:
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
        self._tile_pixels = tile_pixels
        self._tiled: str | None = None

    @property
    def notices(self) -> list[str]:
        """What the user should know of how frames were painted."""
        return [] if self._tiled is None else [self._tiled]

    def run(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``(N, H, W, 3)`` uint8 RGB, sides of at least 16 → the same shape and type.

        Raises:
            ModelError: onnxruntime fails on these pictures, or returns another shape.
        """
        (painted,) = self._paint(self._session, self.spec, [pictures])
        return painted

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
        given = [planes.luma[np.newaxis], planes.chroma[np.newaxis]]
        luma, chroma = self._paint(self._planar, spec, given)
        return Planes(luma[0], chroma[0])

    def _paint(self, session: ort.InferenceSession, spec: ModelSpec, given: list[Pictures]) -> list[Pictures]:
        """In one piece, or in tiles where memory does not suffice for that."""
        height, width = given[0].shape[1:3]
        can_be_tiled = any(each.name == LIGHT for each in session.get_outputs())
        while True:
            most = self._affordable(height * width) if can_be_tiled else height * width
            tiles = tiles_of(height, width, most) if most < height * width else []
            try:
                if len(tiles) < 2:
                    return _call(session, spec, given)
                painted = _in_tiles(session, spec, given, tiles)
            except _NoMemoryError as exc:
                if not can_be_tiled or not self._take_less(len(tiles), height * width):
                    raise ModelError(f"{spec.file.path}: not enough memory for {width}x{height}") from exc
                continue
            rows, columns = tiles[0].kept
            size = f"{columns.stop - columns.start}x{rows.stop - rows.start}"
            self._tiled = f"for want of memory, painted {width}x{height} in {len(tiles)} tiles of {size}"
            return painted

    def _affordable(self, pixels: int) -> int:
        """Of a tile. What is small is not worth asking the system."""
        with self._lock:
            if self._tile_pixels is None and pixels > _LARGE:
                self._tile_pixels = affordable_pixels(self.workers)
            return pixels if self._tile_pixels is None else self._tile_pixels

    def _take_less(self, tiles: int, pixels: int) -> bool:
        """Halves the tiles; False where they cannot become smaller."""
        with self._lock:
            self._tile_pixels = min(self._tile_pixels or pixels, pixels // max(1, tiles)) // 2
            return self._tile_pixels > _LEAST_TILE


class _NoMemoryError(Exception):
    """A model took more memory than there is."""


def _call(
    session: ort.InferenceSession,
    spec: ModelSpec,
    given: list[Pictures],
    light: NDArray[np.float32] | None = None,
) -> list[Pictures]:
    feed: dict[str, Any] = dict(zip([each.name for each in session.get_inputs()], given, strict=True))
    if light is not None:
        feed[KNOWN_LIGHT] = light
    try:
        results = session.run([each.name for each in session.get_outputs() if each.name != LIGHT], feed)
    except Exception as exc:  # onnxruntime's errors share no base class.
        if any(words in str(exc) for words in _OUT_OF_MEMORY):
            raise _NoMemoryError from exc
        height, width = given[0].shape[1:3]
        raise ModelError(f"{spec.file.path}: fails on {width}x{height}: {_line(exc)}") from exc
    if [each.shape for each in results] != [each.shape for each in given]:
        got, wanted = (" and ".join(str(each.shape) for each in some) for some in (results, given))
        raise ModelError(f"{spec.file.path}: expected pictures of shape {wanted}, got {got}")
    return [np.asarray(each) for each in results]


def _in_tiles(
    session: ort.InferenceSession, spec: ModelSpec, given: list[Pictures], tiles: Sequence[Tile]
) -> list[Pictures]:
    painted = [np.empty_like(each) for each in given]
    for index in range(len(given[0])):
        picture = [each[index : index + 1] for each in given]
        light = _light_of(session, picture)
        for tile in tiles:
            parts = [each[:, *part] for each, part in zip(picture, _of_planes(tile.seen), strict=False)]
            results = _call(session, spec, parts, light)
            targets = zip(painted, results, _of_planes(tile.kept), _of_planes(tile.inner), strict=False)
            for target, result, kept, inner in targets:
                target[index][kept] = result[0][inner]
    return painted


def _of_planes(part: tuple[slice, slice]) -> list[tuple[slice, slice]]:
    """Of a picture or luma, and of chroma."""
    return [part, half(part)]


def _light_of(session: ort.InferenceSession, picture: list[Pictures]) -> NDArray[np.float32]:
    """What of a picture's light has to be known of all of it, computed without painting it."""
    options = ort.RunOptions()
    options.only_execute_path_to_fetches = True
    names = [each.name for each in session.get_inputs()]
    (light,) = session.run([LIGHT], dict(zip(names, picture, strict=True)), options)
    return np.asarray(light, np.float32)


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
    """Of pictures; light is told, or found out, in vidgan's own models only."""
    return [_Value(value.name, value.type, value.shape) for value in values if value.name != LIGHT]


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
