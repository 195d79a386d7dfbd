"""Everything that vidgan raises on purpose.

::

    VidganError
    ├── InputError                the input cannot be used as it is
    │   └── InputNotFoundError    (also FileNotFoundError)
    ├── OutputError               the output cannot be written
    │   └── OutputExistsError     (also FileExistsError)
    ├── ModelError                the model file cannot be used
    │   ├── ModelNotFoundError    (also LookupError)
    │   └── ModelTaskError        the model is for another task
    ├── CredentialsError          the output cannot be signed, or a manifest cannot be read
    ├── DeviceError               the device asked for does not come up
    ├── ClusterError              the cluster asked for is not there, or does not do its work
    └── CancelledError            the caller cancelled the job

A message names the file, what happened and what to do about it; it is one line, fit for a terminal.
Settings stand between backquotes as Python callers give them, such as ```size="256x256"```; the command line words
them as its own options.
"""


class VidganError(Exception):
    """Base of all of vidgan's own errors."""


class InputError(VidganError):
    """The input cannot be read, or holds nothing that can be worked on."""


class InputNotFoundError(InputError, FileNotFoundError):
    """There is no such input."""


class OutputError(VidganError):
    """The output cannot be written."""


class OutputExistsError(OutputError, FileExistsError):
    """The output is there already and was not to be overwritten."""


class ModelError(VidganError):
    """The model file is damaged, unsafe or not of the kind asked for."""


class ModelNotFoundError(ModelError, LookupError):
    """No model of that name or at that path."""


class ModelTaskError(ModelError):
    """The model is for another task.

    Attributes:
        task: that the model is for.
    """

    def __init__(self, message: str, task: str) -> None:
        super().__init__(message)
        self.task = task

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.task)


class CredentialsError(VidganError):
    """The key or certificate cannot be used, or the output cannot be signed."""


class DeviceError(VidganError):
    """The device asked for is not usable."""


class ClusterError(VidganError):
    """The cluster cannot be reached, or its workers cannot do the work."""


class CancelledError(VidganError):
    """The caller cancelled the job; the same call continues it."""
