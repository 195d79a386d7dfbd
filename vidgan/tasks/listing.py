"""The list of tasks: what is known of each one without loading it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ListedTask:
    """A task, as the list has it.

    Attributes:
        name: as model files say it in ``vidgan.task``; a task of vidgan is in the module of :mod:`vidgan.tasks` that
            is called so.
        verb: of the command and of the Python function.
        summary: one line for the list of commands.
    """

    name: str
    verb: str
    summary: str


TASKS = (
    ListedTask(
        "style", "stylize", "Repaint a video, an image or a folder of frames in the style of a painting."
    ),
    ListedTask("upscale", "upscale", "Enlarge a video, an image or a folder of frames."),
    ListedTask("restore", "restore", "Denoise, deblock or brighten a video, an image or a folder of frames."),
    ListedTask("translate", "translate", "Turn label maps, or images of one kind, into images of another."),
    ListedTask("segment", "segment", "Draw the label map of every frame, encoded without loss."),
    ListedTask(
        "colorize", "colorize", "Color a gray video, image or folder of frames; its lightness stays as it is."
    ),
    ListedTask(
        "deidentify",
        "deidentify",
        "Replace every face by one of nobody, or pixelate or blur it; the rest stays as it is.",
    ),
    ListedTask("reveal", "reveal", "Bring the faces of a de-identified video back by its passcode."),
    ListedTask("animate", "animate", "Make the person of an image move as the person of a video does."),
)
"""The tasks of vidgan, in the order of the help text."""


def listed(name: str) -> ListedTask:
    """The task of vidgan that is called so."""
    return next(each for each in TASKS if each.name == name)
