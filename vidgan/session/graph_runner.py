"""Runs an ONNX graph that is not yet one of vidgan's models, within a limit of time."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.session.runtime import ort

_FATAL = 4

DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}
"""Types of tensors that NumPy knows, by onnxruntime's names."""


class TimeLimitError(ModelError):
    """A graph was stopped because it ran for longer than it was allowed to."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output as its graph declares it.

    Attributes:
        name: of the tensor.
        dtype: NumPy's type; None for one that NumPy does not know.
        shape: a number for each fixed dimension, else a name or None.
    """

    name: str
    dtype: type[np.generic] | None
    shape: tuple[int | str | None, ...]


class GraphRunner:
    """An ONNX graph on the CPU.

    Args:
        data: the serialized model.
        threads: CPU threads of one run.
        seconds: a run may take; it is terminated then.
        arena: keep freed memory for the next run, which is faster, and hides what a run takes.

    Raises:
        ModelError: onnxruntime cannot load the graph; the message is onnxruntime's.
    """

    def __init__(self, data: bytes, *, threads: int = 0, seconds: float = 20.0, arena: bool = True) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = _FATAL
        # Threads that spin take from the machine what other work needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Examinations try many sizes; a plan for each would be kept in memory.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = arena
        try:
            self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # onnxruntime's errors share no base class.
            raise ModelError(_one_line(exc)) from exc
        self._seconds = seconds
        self.inputs = [_info(each) for each in self._session.get_inputs()]
        self.outputs = [_info(each) for each in self._session.get_outputs()]

    def run(self, feeds: dict[str, Any], outputs: list[str] | None = None) -> list[NDArray[Any]]:
        """The outputs of those names, or all of them.

        Raises:
            TimeLimitError: the run took too long.
            ModelError: onnxruntime fails on these inputs; the message is onnxruntime's.
        """
        options = ort.RunOptions()
        options.log_severity_level = _FATAL
        late = threading.Event()

        def terminate() -> None:
            late.set()
            options.terminate = True

        timer = threading.Timer(self._seconds, terminate)
        timer.daemon = True
        timer.start()
        try:
            return [np.asarray(each) for each in self._session.run(outputs, feeds, options)]
        except Exception as exc:  # As above.
            if late.is_set():
                raise TimeLimitError(f"does not finish within {self._seconds:g} s") from exc
            raise ModelError(_one_line(exc)) from exc
        finally:
            timer.cancel()


def _info(value: Any) -> TensorInfo:
    return TensorInfo(value.name, DTYPES.get(value.type), tuple(value.shape))


def _one_line(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:300]
