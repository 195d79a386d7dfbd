"""The result of a check in words, for people."""

from __future__ import annotations

from collections.abc import Iterator

from vidgan.provenance.check import Provenance
from vidgan.provenance.report import Ingredient, Manifest

Line = tuple[str, str]
"""A label, and the text beside it."""

_STATES = {
    "trusted": "valid, signed by this machine or by a signer that you trust",
    "valid": "valid, of a signer unknown here: nothing was changed since, but who signed is only a claim",
    "invalid": "not valid: signed with a certificate that is expired or not fit for it",
    "tampered": "TAMPERED: the file is not what was signed",
    "damaged": "DAMAGED: there are some, but they cannot be read",
    "none": "none",
}


def describe(found: Provenance) -> Iterator[Line]:
    """Lines about what was found."""
    beside = f" (in {found.sidecar.name})" if found.sidecar else ""
    yield "credentials", _STATES[found.credentials] + beside
    for problem in found.problems:
        yield "problem", problem
    if found.manifest is not None:
        yield from _manifest(found.manifest)
    yield "pixel mark", _mark(found)
    if found.vault:
        yield "vault", "encrypted faces are with it; their passcode brings them back (vidgan reveal)"
    for name, value in found.tags.items():
        yield "tag", f"{name}: {_clean(value)}"
    if found.credentials == "none" and found.mark is None:
        yield "conclusion", "nothing says where it is from; that does not say that it is a recording"
    elif found.credentials == "none":
        yield (
            "conclusion",
            "made by vidgan; its credentials were lost, as by copying the streams into another file",
        )


def _manifest(manifest: Manifest) -> Iterator[Line]:
    yield "made by", manifest.software
    yield "signed by", manifest.signer + (f", {manifest.signed_at}" if manifest.signed_at else "")
    if manifest.source_types:
        yield "kind", ", ".join(manifest.source_types)
    if manifest.actions:
        yield "actions", "; ".join(manifest.actions)
    yield from _steps(manifest.generation.get("steps"))
    if manifest.consent is not None:
        who = f"{manifest.consent.who}, " if manifest.consent.who else ""
        yield "consent", f"{manifest.consent.statement} ({who}{manifest.consent.when})"
    yield from _ingredients(manifest.ingredients, "made from")


def _steps(steps: object) -> Iterator[Line]:
    for step in steps if isinstance(steps, list) else []:
        models = step.get("models") if isinstance(step, dict) else None
        for model in models if isinstance(models, list) else []:
            if isinstance(model, dict):
                checksum = str(model.get("sha256"))[:16]
                yield "model", f"{model.get('name')} ({model.get('license')}), SHA-256 {checksum}…"


def _ingredients(ingredients: list[Ingredient], label: str) -> Iterator[Line]:
    for each in ingredients:
        own = "no credentials"
        if each.manifest is not None:
            own = f"made by {each.manifest.software or 'unknown'}, signed by {each.manifest.signer}"
        wrong = f"; {', '.join(each.problems)}" if each.problems else ""
        yield label, f"{each.title or 'unnamed'}: {own}{wrong}"
        if each.manifest is not None:
            yield from _ingredients(each.manifest.ingredients, f"{label}  from")


def _mark(found: Provenance) -> str:
    mark = found.mark
    if mark is None:
        missing = found.manifest is not None and found.manifest.mark is not None
        return "none found" + (", although the credentials speak of one" if missing else "")
    odds = f"score {mark.score:.1f}, odds of a false alarm below {max(mark.odds, 1e-300):.0e}"
    if mark.kind is None or mark.id is None:
        return f"found, but its bits cannot be read ({odds})"
    agrees = {None: "", True: ", as the credentials say", False: ", NOT that of the credentials"}[
        found.mark_agrees
    ]
    return f"{mark.kind}, id {mark.id:08x}{agrees} ({odds})"


def _clean(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
