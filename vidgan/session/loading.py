"""A model's file made ready to run, its shape looked at, its memory bounded."""

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from vidgan.errors import ModelError
from vidgan.media.tiling import FORMER_NAMES, GIVEN_STATS, HALO, STATS, grid_of, halo_of
from vidgan.models.onnx_file import initializer_named, with_input
from vidgan.models.registry import BUNDLED, ModelSpec
from vidgan.session.devices import PROVIDERS, RealDevice, plugin_devices, quiet_stderr
from vidgan.session.limits import loading_memory
from vidgan.session.runtime import ort
from vidgan.session.trial import try_loading

_log = logging.getLogger(__name__)

_FATAL = 4

_HASTY = {"cudnn_conv_algo_search": "HEURISTIC"}
"""Trying out convolutions would take longer than a few images do."""

_OPTIONAL_INPUTS = "cpu", "cuda", "tensorrt"
"""Devices whose providers take an initializer that is an input too; those that compile whole graphs do not."""

_EXACT: dict[RealDevice, dict[str, str]] = {"openvino": {"device_type": "CPU", "precision": "ACCURACY"}}
"""Without it, OpenVINO computes float32 models in half precision where it finds that faster."""

_SHARE_OF_MEMORY = 0.3
"""Share of the machine's memory for models; frames and the system need some too."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to run, and what is asked of it for each frame.

    Attributes:
        session: onnxruntime's.
        spec: the model.
        inputs, outputs: names of the images that it takes and returns.
        names: of the other inputs and outputs, by what they are called today, see :mod:`vidgan.media.tiling`.
        channels: of the output; none for a map.
        tensors: shapes of input and output in words, such as ``"(N, H, W, 3)"``.
    """

    session: ort.InferenceSession
    spec: ModelSpec
    inputs: list[str]
    outputs: list[str]
    names: Mapping[str, str]
    channels: list[int]
    tensors: tuple[str, str]

    @property
    def returns_stats(self) -> bool:
        """Whether it can be tiled by the statistics of the whole image."""
        return STATS in self.names

    def shape_of(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the output for an image, or a plane, of this shape."""
        count, height, width, *channels = shape
        if len(self.outputs) == 1:
            channels = self.channels
        return count, self.spec.scale * height, self.spec.scale * width, *channels

    @property
    def extra_outputs(self) -> dict[str, str]:
        """Names of the outputs beside the image, without statistics and recurrent state."""
        return {name: own for name, own in self.names.items() if name == CORRESPONDENCE}

    @property
    def halo(self) -> int | None:
        """Pixels that have to be round a tile; None for a model that cannot be tiled."""
        if self.returns_stats:
            return HALO if GIVEN_STATS in self.names else None
        return None if self.spec.receptive_field is None else halo_of(self.spec.receptive_field, self.grid)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns that tiles begin at multiples of."""
        return grid_of(self.spec.multiple)


def load(
    spec: ModelSpec, device: RealDevice, threads: int, *, provider_options: Mapping[str, str] | None = None
) -> Loaded:
    """A model whose inputs and outputs are those of its layout.

    Args:
        provider_options: options of the device's provider, which has to come up then; without them, the CPU may
            take the place of a GPU.

    Raises:
        ModelError: onnxruntime does not load the model, or it is of another shape, or not offered on the device.
    """
    _refuse_unfaithful(spec, device)
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
    try:
        with _guarded(spec, device):
            session = _session(_data_for(spec, device), options, device, provider_options)
        # That a name is no text is found out only by asking for it.
        inputs, outputs = _described(session.get_inputs()), _described(session.get_outputs())
    except Exception as exc:  # onnxruntime's errors share no base class.
        raise ModelError(f"{spec.file.path}: onnxruntime cannot load the model: {line(exc)}") from exc
    strict = provider_options is not None or device not in ("cpu", "cuda")
    if strict and session.get_providers()[0] != PROVIDERS[device]:
        raise ModelError(f"{spec.file.path}: {device} did not come up for this model")
    _check_shape({"input": inputs, "output": outputs}, spec)
    _log.info("%s: opened on %s by %s", spec.file.path, device, session.get_providers()[0])
    return Loaded(
        session,
        spec,
        inputs=[each.name for each in inputs],
        outputs=[each.name for each in outputs],
        names=_names(session),
        channels=[int(each) for each in outputs[0].shape[3:] if isinstance(each, int)],
        tensors=(_shape(inputs[0]), _shape(outputs[0])),
    )


def _refuse_unfaithful(spec: ModelSpec, device: RealDevice) -> None:
    """OpenVINO as a plug-in (1.8.1) returns images of int8 models that are below 40 dB of the CPU's."""
    if device == "openvino" and spec.precision == "int8" and plugin_devices(device):
        raise ModelError(
            f"{spec.file.path}: int8 models are not offered with the package onnxruntime-ep-openvino, whose results "
            "differ from the CPU's; give the float32 model, or `device='cpu'`"
        )


def _data_for(spec: ModelSpec, device: RealDevice) -> bytes:
    """The file, with statistics as an input that may be left out where the provider has such inputs."""
    data = spec.file.data
    if device in _OPTIONAL_INPUTS and initializer_named(data, GIVEN_STATS):
        return with_input(data, GIVEN_STATS, (1, 4))
    return data


def _session(
    data: bytes, options: ort.SessionOptions, device: RealDevice, provider_options: Mapping[str, str] | None
) -> ort.InferenceSession:
    if plugged := plugin_devices(device):
        options.add_provider_for_devices(list(plugged[:1]), dict(provider_options or {}))
        return ort.InferenceSession(data, options)
    return ort.InferenceSession(
        data,
        options,
        providers=_providers(device, provider_options or {}),
        # To the CPU from the CPU would only be printed; a device that was asked for has to come up.
        enable_fallback=device == "cuda" and provider_options is None,
    )


@contextlib.contextmanager
def _guarded(spec: ModelSpec, device: RealDevice) -> Iterator[None]:
    """Loading of what did not come with vidgan, after a trial; what a GPU's provider prints is kept back."""
    own = BUNDLED in spec.file.path.parents
    if not own:
        try_loading(spec.file.data)
    if device != "cpu":
        with quiet_stderr():
            yield
    elif own:
        yield
    else:
        with loading_memory(len(spec.file.data)):
            yield


def _providers(device: RealDevice, provider_options: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Those that a device needs, each for what the one before cannot do."""
    cpu: tuple[str, dict[str, str]] = (PROVIDERS["cpu"], {})
    if device == "cpu":
        return [cpu]
    if device == "tensorrt":
        return [(PROVIDERS["tensorrt"], dict(provider_options)), (PROVIDERS["cuda"], {}), cpu]
    if device == "cuda":
        return [(PROVIDERS["cuda"], _HASTY | dict(provider_options)), cpu]
    return [(PROVIDERS[device], _EXACT.get(device, {}) | dict(provider_options)), cpu]


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


class _Value(NamedTuple):
    """An input or output of a model."""

    name: str
    type: str
    shape: list[int | str | None]


def _described(values: list[ort.NodeArg]) -> list[_Value]:
    """The image tensors, without statistics and recurrent state."""
    return [
        _Value(value.name, value.type, value.shape)
        for value in values
        if FORMER_NAMES.get(value.name, value.name) not in _ASIDE
    ]


STATE, NEXT_STATE = "state", "next_state"
"""Input and output of a stateful model beside its images."""
GUIDES, CODES, AFFINES = "guides", "codes", "affines"
"""Inputs of generators of faces and people beside their images."""
CORRESPONDENCE = "correspondence"
"""Output of generators of people beside the image: where in the source each place is, ``(N, h, w, 3)`` float32:
column and row in sides of the source, 0 to 1, and how surely the source shows it, 0 to 1."""
_ASIDE = {STATS, GIVEN_STATS, STATE, NEXT_STATE, GUIDES, CODES, AFFINES, CORRESPONDENCE}


def _names(session: ort.InferenceSession) -> dict[str, str]:
    values = (*session.get_inputs(), *session.get_outputs(), *session.get_overridable_initializers())
    found = {FORMER_NAMES.get(each.name, each.name): each.name for each in values}
    return {name: own for name, own in found.items() if name in _ASIDE}


def _shape(value: _Value) -> str:
    """In words, such as ``"(N, H, W, 3)"``."""
    channels = f", {value.shape[3]}" if len(value.shape) == 4 else ""
    return f"(N, H, W{channels})"


def _check_shape(values_of: dict[str, list[_Value]], spec: ModelSpec) -> None:
    """Refuses what is no model of images: inputs and outputs of uint8, one each, or luma and chroma."""
    ranks = [3, 4] if spec.layout == "yuv420" else None
    for kind, values in values_of.items():
        found = [len(value.shape) for value in values]
        fits = found == ranks if ranks else found in ([3], [4])
        if not fits or any(value.type != "tensor(uint8)" for value in values):
            got = ", ".join(f"{value.type}{value.shape}" for value in values)
            words = f"luma and chroma as {kind}s" if ranks else f"one image as {kind}"
            raise ModelError(f"{spec.file.path}: a model has {words}, uint8; this one has {got}")


def line(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:300]
