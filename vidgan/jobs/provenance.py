"""Options of what a job's output says of itself, and the mark in its pixels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgan.errors import InputError
from vidgan.media.frame import Frame
from vidgan.tasks.options import Flag, OptionSettings, option, path_option
from vidgan.tasks.task import Task

if TYPE_CHECKING:
    from vidgan.provenance.manifest import Consent, MarkFacts
    from vidgan.provenance.pixel_mark import PixelMark
    from vidgan.provenance.signing_identity import SigningIdentity


@dataclass(frozen=True, kw_only=True)
class ProvenanceSettings(OptionSettings):
    """Options of the credentials. They decide nothing about frames, so a job can be resumed with others.

    Raises:
        InputError: an option has the wrong type, or one is given without another that it needs.
    """

    credentials: bool = option(
        True,
        flags=[
            Flag(
                name="no-credentials",
                type=bool,
                heading="Provenance",
                shown_default="signed",
                help="Leave out Content Credentials (C2PA), which say which model made the output and from what.",
            )
        ],
        gather=lambda given: not given["no_credentials"],
        doc="Sign the output with Content Credentials, which say which model made it and from what.",
    )
    sign_cert: Path | None = path_option(
        "FILE.pem",
        heading="Provenance",
        shown_default="made on this machine at first use",
        help="Certificate to sign with, with those that vouch for it.",
    )
    sign_key: Path | None = path_option("FILE.pem", heading="Provenance", help="Private key of --sign-cert.")
    consent: str | None = option(
        None,
        metavar="TEXT|FILE",
        heading="Provenance",
        help="Statement of who agrees to what is shown, and when; signed into the credentials.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.sign_cert is None) != (self.sign_key is None):
            raise InputError("`sign_cert` and `sign_key` belong together; give both")
        if not self.credentials and (self.sign_cert or self.consent):
            raise InputError("without credentials there is no place for a certificate or a consent")

    def identity(self) -> SigningIdentity:
        """Returns the key and certificates that sign.

        Raises:
            CredentialsError: it cannot be read, made or used.
        """
        from vidgan.provenance.signing_identity import own_identity, read_identity

        if self.sign_cert is None or self.sign_key is None:
            return own_identity()
        return read_identity(self.sign_cert, self.sign_key)

    def read_consent(self) -> Consent | None:
        """The statement.

        Raises:
            CredentialsError: it is empty, too long, or its file cannot be read.
        """
        from vidgan.provenance.manifest import Consent

        return None if self.consent is None else Consent.read(self.consent)


class MarkEffect:
    """Puts the mark into frames: the last step of a chain."""

    def __init__(self, mark: PixelMark) -> None:
        self._mark = mark

    def apply(self, frame: Frame) -> Frame:
        return frame.with_image(self._mark.apply(frame.image))


def check_credentials(
    settings: ProvenanceSettings, *, shows_people: bool, needs_consent: bool = False
) -> None:
    """Refuses to leave out credentials that have to be there.

    Raises:
        InputError: the output shows people, or a consent is missing.
    """
    if not settings.credentials and shows_people:
        raise InputError("the credentials of what shows people cannot be left out")
    if needs_consent and settings.consent is None:
        raise InputError(
            "consent is missing: state who agrees to being shown so, such as "
            '`consent="It is me, and I agree"`; it is signed into the output'
        )


def job_mark(
    tasks: Sequence[Task[Any]],
    fingerprint: Callable[[], Mapping[str, Any]],
    settings: ProvenanceSettings,
    *,
    wanted: bool,
    label_maps: bool,
) -> MarkFacts | None:
    """The mark that a job's frames get, the same one whenever and wherever they are made.

    Args:
        tasks: of the steps.
        fingerprint: of the job; its identifier is made from it.
        wanted: by the user, or by a task that shows people.
        label_maps: the output is of label maps, which cannot have one.

    Raises:
        InputError: it is wanted in label maps.
        CredentialsError: there is no key that the identifier could be made with.
    """
    if not wanted:
        return None
    if label_maps:
        raise InputError("a mark would change the colors of label maps; leave out `mark`")
    from vidgan.provenance.manifest import MarkFacts
    from vidgan.provenance.pixel_mark import KINDS

    kind = next((each.name for each in tasks if each.name in KINDS), "other")
    return MarkFacts(kind=kind, id=settings.identity().mark_id(json.dumps(fingerprint(), sort_keys=True)))
