"""The models of a step, loaded when they are first used."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from vidgan.errors import VidganError
from vidgan.models.registry import BUNDLED, ModelSpec, Precision, reaching
from vidgan.session import Device, RealDevice, Session, cores, preferred_precision, resolve_device
from vidgan.tasks.task import GENERATOR, MASK, Variants


class StepModels:
    """The models of one step in all their variants; for many files and threads.

    Args:
        find: finds the variants in a precision, see :meth:`vidgan.tasks.task.Task.find_models`.
        check: refuses a session of another kind, see :meth:`vidgan.tasks.task.Task.check_model`.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"tensorrt"``.
        threads: CPU threads of one call of a model; None for one, or all cores for a recurrent model.

    Attributes:
        variants: models by role, the smallest scale first.

    Raises:
        ModelNotFoundError, ModelError: as of ``find``.
        DeviceError: the device was asked for and is not usable.
    """

    def __init__(
        self,
        find: Callable[[Precision], Variants],
        check: Callable[[Session], None],
        *,
        device: Device = "auto",
        threads: int | None = None,
    ) -> None:
        self._find = find
        self._check = check
        self._device = device
        self._threads = threads
        self._sessions: dict[tuple[str, int], Session] = {}
        self._lock = threading.Lock()
        self.variants = find(preferred_precision(resolve_device(device)))

    @classmethod
    def of(cls, session: Session, check: Callable[[Session], None]) -> "StepModels":
        """The models of a step whose only model is loaded already."""
        models = cls(lambda _: {GENERATOR: [session.spec]}, check, device=session.device)
        check(session)
        models._sessions[GENERATOR, session.spec.scale] = session
        return models

    @property
    def specs(self) -> list[ModelSpec]:
        """All variants of all roles."""
        return [spec for variants in self.variants.values() for spec in variants]

    def take_warnings(self) -> list[str]:
        """Remarks on how the models were made, which they lose by that."""
        warnings = [warning for spec in self.specs for warning in spec.warnings]
        self.variants = {
            role: [replace(spec, warnings=()) for spec in specs] for role, specs in self.variants.items()
        }
        return list(dict.fromkeys(warnings))

    @property
    def device(self) -> RealDevice:
        """The device of the loaded models, or the one that will be tried."""
        for session in self._sessions.values():
            return session.device
        return resolve_device(self._device)

    @property
    def take_yuv(self) -> bool:
        """Whether all models that frames go through have a yuv420 variant for the device."""
        through = [spec for role, specs in self.variants.items() if role != MASK for spec in specs]
        return self.device == "cpu" and bool(through) and all(spec.planar for spec in through)

    def sessions(self, specs: Mapping[str, ModelSpec]) -> dict[str, Session]:
        """The chosen variants, loaded.

        Raises:
            ModelError: one cannot be loaded, or is of another kind.
        """
        return {role: self._session(role, spec) for role, spec in specs.items()}

    def load_ahead(self, *, yuv: bool) -> None:
        """Begins to load, on a thread, the models that came with vidgan and have one variant; it takes little.

        An error is raised to who asks for the model.

        Args:
            yuv: load the variants for luma and chroma too.
        """
        threading.Thread(target=self._load, args=(yuv,), name="vidgan-models").start()

    def _load(self, yuv: bool) -> None:
        for role, (spec, *others) in self.variants.items():
            if others or BUNDLED not in spec.file.path.parents:
                continue
            with contextlib.suppress(VidganError):
                session = self._session(role, spec)
                if yuv and session.takes_yuv:
                    session.load_yuv()

    def generator(self, factor: float = 1) -> Session:
        """The generator of the smallest scale that makes sides so many times as long, or more.

        Raises:
            ModelError: there is none, or it cannot be loaded.
        """
        return self._session(GENERATOR, reaching(self.variants[GENERATOR], factor))

    def _session(self, role: str, spec: ModelSpec) -> Session:
        with self._lock:
            if (role, spec.scale) not in self._sessions:
                session = self._loaded(role, spec)
                self._check(session)
                self._sessions[role, spec.scale] = session
            return self._sessions[role, spec.scale]

    def _loaded(self, role: str, spec: ModelSpec) -> Session:
        # Frames of a recurrent model cannot run side by side.
        threads = self._threads or (cores() if spec.state_channels else 1)
        session = Session(spec, device=self._device, threads=threads)
        if session.device == resolve_device(self._device):
            return session
        # CUDA looked usable and was not: take the variant that suits the CPU.
        variants = self._find(preferred_precision("cpu"))[role]
        suited = next((each for each in variants if each.scale == spec.scale), spec)
        return Session(suited, device="cpu", threads=threads)
