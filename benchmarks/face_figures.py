"""Figures of what evaluators saw in de-identified faces."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.face_evaluators import Floats, Looks, unit
from training.evaluation.distribution import frechet_distance
from vidgan.media.face_guides import EYE_CORNERS, INNER, OPENINGS, Points

FALSE_ACCEPTS = 1e-2, 1e-3
_GALLERY = 400
_PENALTIES = 0.03, 0.1, 0.3, 1.0, 3.0, 10.0
"""Of the ridge regression, times the number of images."""
_TRIED = 5
"""One image of so many is of a person whom a penalty is chosen by."""

Names = NDArray[np.str_]


@dataclass(frozen=True)
class Recognized:
    """How often a recognizer takes a changed image for who was there.

    Attributes:
        other: true accepts of an original against another image, changed, at :data:`FALSE_ACCEPTS`.
        same: of an image before and after.
        rank_one: share of changed images whose nearest of a gallery is the same person.
        different: share of pairs of people whose changed images are of two people, at the first of them.
    """

    other: tuple[float, ...]
    same: tuple[float, ...]
    rank_one: float
    different: float


def recognized(originals: Floats, changed: Floats, names: Names) -> Recognized:
    """Figures of embeddings ``(N, D)``; thresholds are those at which originals of two people pass for one."""
    first, second = np.triu_indices(len(names), 1)
    strangers = names[first] != names[second]
    thresholds = _thresholds((originals @ originals.T)[first, second][strangers])
    across = originals @ changed.T
    between = (changed @ changed.T)[first, second][strangers]
    return Recognized(
        tuple(float((across[alike(names)] > each).mean()) for each in thresholds),
        tuple(float((np.diag(across) > each).mean()) for each in thresholds),
        _rank_one(originals, changed, names),
        float((between <= thresholds[0]).mean()),
    )


def alike(names: Names) -> NDArray[np.bool_]:
    """Which pairs of two images are of one person, ``(N, N)``."""
    return np.asarray((names[:, np.newaxis] == names) & ~np.eye(len(names), dtype=bool))


def _thresholds(strangers: Floats) -> list[float]:
    """The values above which the shares :data:`FALSE_ACCEPTS` of pairs of strangers are."""
    ordered = np.sort(strangers)[::-1]
    return [float(ordered[int(rate * len(ordered))]) for rate in FALSE_ACCEPTS]


def _rank_one(originals: Floats, changed: Floats, names: Names) -> float:
    """One original a person is the gallery; a changed one of another image of that person is looked up."""
    several = [name for name in dict.fromkeys(names) if (names == name).sum() > 1]
    others = [name for name in dict.fromkeys(names) if (names == name).sum() == 1]
    gallery = [int(np.flatnonzero(names == name)[0]) for name in [*several, *others][:_GALLERY]]
    probes = [int(number) for name in several for number in np.flatnonzero(names == name)[1:]]
    nearest = np.array(gallery)[(changed[probes] @ originals[gallery].T).argmax(1)]
    return float((names[nearest] == names[probes]).mean())


class AdaptiveRecognizer:
    """Whoever knows the way and refits a recognizer to it: a head of changed training faces.

    Ridge regression from the clues of changed images, ``(N, C)``, to the embeddings of the originals, both
    centered. The penalty is the one by which most people are found of those who were left out.
    """

    def __init__(self, clues: Floats, embeddings: Floats, names: Names) -> None:
        _, people = np.unique(names, return_inverse=True)
        tried = people % _TRIED == 0
        found = []
        for penalty in _PENALTIES:
            self._fit(clues[~tried], embeddings[~tried], penalty)
            found.append(self.accepts(embeddings[tried], clues[tried], names[tried])[0])
        self._fit(clues, embeddings, _PENALTIES[int(np.argmax(found))])

    def _fit(self, clues: Floats, embeddings: Floats, penalty: float) -> None:
        self._mean, self._spread = clues.mean(0), clues.std(0) + np.float32(1e-3)
        self._center = embeddings.mean(0)
        inputs = ((clues - self._mean) / self._spread).astype(np.float64)
        gram = inputs.T @ inputs + penalty * len(inputs) * np.eye(inputs.shape[1])
        self._head = np.linalg.solve(gram, inputs.T @ (embeddings - self._center)).astype(np.float32)

    def accepts(self, originals: Floats, clues: Floats, names: Names) -> tuple[float, float]:
        """True accepts at a FAR of 1e-2: against another image, and of an image before and after.

        The threshold is of originals against changed images of others, so that a head's own scale does not count.
        """
        guessed = unit((clues - self._mean) / self._spread @ self._head)
        scores = unit(originals - self._center) @ guessed.T
        threshold = _thresholds(scores[names[:, np.newaxis] != names])[0]
        return float((scores[alike(names)] > threshold).mean()), float((np.diag(scores) > threshold).mean())


def displaced(before: Points, after: Points) -> Floats:
    """Mean distance of the inner points, in eye distances, of each: ``(N,)``."""
    left, right = EYE_CORNERS
    unit_length = np.linalg.norm(before[:, left] - before[:, right], axis=1)
    distances = np.linalg.norm(before[:, INNER] - after[:, INNER], axis=2).mean(1)
    return np.asarray(distances / unit_length, np.float32)


def openings(points: Points) -> Floats:
    """How far mouth and eyes are open, over their widths: ``(N, 468, 2)`` → ``(N, 3)``."""

    def length(a: int, b: int) -> Floats:
        return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=1), np.float32)

    return np.stack([length(a, b) / length(left, right) for a, b, left, right in OPENINGS], 1)


def figures_of(before: Looks, after: Looks, names: Names) -> dict[str, float]:
    """Figures of images before and after a change.

    The Fréchet distance is over the mean square of real faces' features, whose scale says nothing.

    Args:
        before, after: from :meth:`benchmarks.face_evaluators.Evaluators.look`.
    """
    rows: dict[str, float] = {}
    for evaluator in ("mobilefacenet", "dlib"):
        if evaluator in before:
            rows |= _of_recognizer(evaluator, recognized(before[evaluator], after[evaluator], names))
    errors = displaced(before["points"], after["points"])
    before_open, after_open = openings(before["points"]), openings(after["points"])
    seen, real = (torch.from_numpy(each["features"]) for each in (after, before))
    return rows | {
        "YuNet finds a face": float(after["found"].mean()),
        "inner landmarks' error, median": float(np.median(errors)),
        "inner landmarks' error, p90": float(np.percentile(errors, 90)),
        "opening of the mouth, correlation": _correlation(before_open[:, 0], after_open[:, 0]),
        "opening of the eyes, correlation": _correlation(before_open[:, 1:], after_open[:, 1:]),
        "Fréchet distance, SqueezeNet fire9": frechet_distance(seen, real)
        / float(real.square().sum(1).mean()),
    }


def figures_of_training(
    before: Looks, after: Looks, names: Names, learned: Looks, adaptive: AdaptiveRecognizer
) -> dict[str, float]:
    """What knowledge of the way is worth, and whether anybody trained on comes back.

    Args:
        before, after: see :func:`figures_of`.
        learned: what evaluators saw in images that were trained on.
    """
    other, same = adaptive.accepts(before["mobilefacenet"], after["clues"], names)
    nearest = (after["mobilefacenet"] @ learned["mobilefacenet"].T).max(1)
    return {
        "adaptive recognizer, another image, FAR 1e-2": other,
        "adaptive recognizer, the same image, FAR 1e-2": same,
        f"cosine to the nearest of {len(learned['mobilefacenet'])} trained on, mean": float(nearest.mean()),
        f"cosine to the nearest of {len(learned['mobilefacenet'])} trained on, p99": float(
            np.percentile(nearest, 99)
        ),
    }


def _of_recognizer(evaluator: str, found: Recognized) -> dict[str, float]:
    return {
        f"{evaluator}, another image, FAR 1e-2": found.other[0],
        f"{evaluator}, another image, FAR 1e-3": found.other[1],
        f"{evaluator}, the same image, FAR 1e-2": found.same[0],
        f"{evaluator}, the same image, FAR 1e-3": found.same[1],
        f"{evaluator}, rank 1 of {_GALLERY}": found.rank_one,
        f"{evaluator}, two people stay two": found.different,
    }


def _correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def table(rows: dict[str, dict[str, float]]) -> str:
    """Markdown, a line a figure, a column a way."""
    figures = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(rows)} |", f"|{'---|' * (len(rows) + 1)}"]
    lines += [
        f"| {figure} | {' | '.join(f'{rows[way][figure]:.3f}' for way in rows)} |" for figure in figures
    ]
    return "\n".join(lines)
