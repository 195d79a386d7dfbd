"""A manifest store, as c2pa says it in JSON, in terms that people know.

What stands in it was written by whoever made the file. So everything is taken as it comes, cut short, and without
characters that would do something to a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vidgan.provenance.manifest import CONSENT, GENERATION, MARK_ALGORITHM, SOFT_BINDING, Consent, MarkFacts

UNKNOWN_SIGNER = "signingCredential.untrusted"

_LONGEST = 500
_DEEPEST = 8
"""Ingredients of ingredients."""
_MOST_INGREDIENTS = 500
"""In all: where manifests share ingredients, their number grows exponentially with the depth."""

_CHANGED = "its content was changed after it was signed"
_WORDS = {
    "assertion.dataHash.mismatch": _CHANGED,
    "assertion.bmffHash.mismatch": _CHANGED,
    "assertion.boxesHash.mismatch": _CHANGED,
    "assertion.hashedURI.mismatch": "its credentials were changed after they were signed",
    "assertion.missing": "a part of its credentials is missing",
    "claimSignature.mismatch": "its credentials were changed after they were signed",
    "claimSignature.missing": "its credentials are not signed",
    "signingCredential.expired": "the certificate has expired",
    "signingCredential.invalid": "the certificate is not fit for signing media",
    "signingCredential.ocsp.revoked": "the certificate was revoked",
}


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """A file that another one was made from.

    Attributes:
        title: its name.
        relationship: ``"parentOf"`` for what was edited, ``"componentOf"`` or ``"inputTo"``.
        problems: what was wrong with its credentials when it was taken.
        manifest: its own; None if it had none.
    """

    title: str
    relationship: str
    problems: list[str]
    manifest: Manifest | None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The statements of a manifest.

    Attributes:
        title: the file's name when it was signed.
        software: what made it, with version.
        signer: whose certificate it is, as the certificate says.
        signed_at: as a time stamp authority says, else when the maker says; None if nobody does.
        source_types: IPTC's terms, the last part of their addresses.
        actions: what was done, in sentences where there are such.
        generation: steps with their models, settings and input, where vidgan made it.
        mark: what the pixels should say.
        consent: the statement on whose face or body it is.
        ingredients: what it was made from.
    """

    title: str
    software: str
    signer: str
    signed_at: str | None
    source_types: list[str]
    actions: list[str]
    generation: Mapping[str, Any] = field(default_factory=dict)
    mark: MarkFacts | None = None
    consent: Consent | None = None
    ingredients: list[Ingredient] = field(default_factory=list)


def active_manifest(store: Mapping[str, Any]) -> Manifest:
    """That of the file itself."""
    manifests, active = _dict(store.get("manifests")), store.get("active_manifest")
    return _manifest(manifests, active, depth=0, budget=iter(range(_MOST_INGREDIENTS)))


def failures(store: Mapping[str, Any]) -> list[str]:
    """Codes of what is wrong with it, see the C2PA specification, 15.2; an unknown signer is nothing wrong."""
    codes = [_text(_dict(each).get("code")) for each in _list(store.get("validation_status"))]
    return [code for code in dict.fromkeys(codes) if code != UNKNOWN_SIGNER]


def in_words(codes: Iterable[str]) -> list[str]:
    """Each once."""
    return list(dict.fromkeys(_WORDS.get(code, code) for code in codes))


def _manifest(manifests: Mapping[str, Any], label: Any, *, depth: int, budget: Iterator[int]) -> Manifest:
    found = _dict(manifests.get(label) if isinstance(label, str) else None)
    assertions = {
        _text(_dict(each).get("label")): _dict(_dict(each).get("data"))
        for each in _list(found.get("assertions"))
    }
    actions = [
        _dict(each)
        for label, data in assertions.items()
        if label.startswith("c2pa.actions")
        for each in _list(data.get("actions"))
    ]
    signature = _dict(found.get("signature_info"))
    return Manifest(
        title=_text(found.get("title")),
        software=_software(found),
        signer=_signer(signature),
        signed_at=_text(signature.get("time"))
        or next(filter(None, (_text(a.get("when")) for a in actions)), None),
        source_types=_source_types(actions),
        actions=[_text(each.get("description")) or _text(each.get("action")) for each in actions],
        generation=_cleaned(assertions.get(GENERATION, {})),
        mark=_mark(assertions.get(SOFT_BINDING, {})),
        consent=_consent(assertions.get(CONSENT)),
        ingredients=[
            _ingredient(_dict(each), manifests, depth=depth + 1, budget=budget)
            for each in _list(found.get("ingredients"))
            if depth < _DEEPEST and next(budget, None) is not None
        ],
    )


def _ingredient(
    found: Mapping[str, Any], manifests: Mapping[str, Any], *, depth: int, budget: Iterator[int]
) -> Ingredient:
    results = _dict(_dict(found.get("validation_results")).get("activeManifest"))
    codes = [_text(_dict(each).get("code")) for each in _list(results.get("failure"))]
    label = found.get("active_manifest")
    return Ingredient(
        title=_text(found.get("title")),
        relationship=_text(found.get("relationship")),
        problems=in_words(code for code in codes if code != UNKNOWN_SIGNER),
        manifest=_manifest(manifests, label, depth=depth, budget=budget) if label in manifests else None,
    )


def _software(manifest: Mapping[str, Any]) -> str:
    for each in map(_dict, _list(manifest.get("claim_generator_info"))):
        return f"{_text(each.get('name'))} {_text(each.get('version'))}".strip()
    return _text(manifest.get("claim_generator"))


def _signer(signature: Mapping[str, Any]) -> str:
    name, issuer = _text(signature.get("common_name")), _text(signature.get("issuer"))
    return f"{name} ({issuer})" if name and issuer else name or issuer or "unknown"


def _source_types(actions: list[dict[str, Any]]) -> list[str]:
    found = (_text(each.get("digitalSourceType")).rsplit("/", 1)[-1] for each in actions)
    return list(dict.fromkeys(filter(None, found)))


def _mark(binding: Mapping[str, Any]) -> MarkFacts | None:
    if binding.get("alg") != MARK_ALGORITHM:
        return None
    for block in map(_dict, _list(binding.get("blocks"))):
        kind, _, number = _text(block.get("value")).partition(":")
        try:
            return MarkFacts(kind=kind, id=int(number, 16))
        except ValueError:
            continue
    return None


def _consent(found: Mapping[str, Any] | None) -> Consent | None:
    if found is None:
        return None
    who = _text(found.get("who"), 4000) or None
    return Consent(statement=_text(found.get("statement"), 4000), who=who, when=_text(found.get("when")))


def _cleaned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_text(key): _cleaned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    if isinstance(value, bool | int | float):
        return value
    return _text(value)


def _text(value: Any, longest: int = _LONGEST) -> str:
    """Without control characters, by which a file could write over what is said of it."""
    text = "" if value is None else str(value)
    return "".join(each if each.isprintable() else " " for each in text[:longest]).strip()


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
