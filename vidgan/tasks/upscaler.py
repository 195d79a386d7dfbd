"""A model for enlarging, in the scales that there are of it."""

import threading

from vidgan.models.registry import ModelSpec, find_upscalers, reaching
from vidgan.session import Device, Session, best_precision, resolve_device


class Upscaler:
    """What enlarges under one name, each scale loaded when it is first used.

    For many files, one after another; may be used from several threads.

    Args:
        model: ``"swift"``, ``"clean"``, ``"photo"``, or the path of an ``.onnx`` file.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"tensorrt"``.

    Attributes:
        name: of the model.
        specs: of what it has, the smallest scale first.

    Raises:
        ModelNotFoundError: no such model or file.
        ModelError: damaged, unsafe, or made for another task.
        DeviceError: CUDA was asked for and is not usable.
    """

    def __init__(self, model: str, *, device: Device = "auto") -> None:
        self.name = model
        self.specs = find_upscalers(model, precision=best_precision(resolve_device(device)))
        self._device = device
        self._sessions: dict[int, Session] = {}
        self._lock = threading.Lock()

    @property
    def takes_planes(self) -> bool:
        """Whether all of them can do without RGB."""
        return resolve_device(self._device) == "cpu" and all(spec.planar for spec in self.specs)

    def session(self, factor: float) -> Session:
        """The smallest model that makes sides so many times as long, or more.

        Raises:
            ModelError: there is none, or it cannot be loaded.
        """
        spec = reaching(self.specs, factor)
        with self._lock:
            if spec.scale not in self._sessions:
                self._sessions[spec.scale] = self._loaded(spec)
            return self._sessions[spec.scale]

    def _loaded(self, spec: ModelSpec) -> Session:
        session = Session(spec, device=self._device)
        if session.device == resolve_device(self._device):
            return session
        # CUDA looked usable and was not: take the variant that suits the CPU.
        variants = find_upscalers(self.name, precision=best_precision("cpu"))
        return Session(reaching(variants, spec.scale), device="cpu")
