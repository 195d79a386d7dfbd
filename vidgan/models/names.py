"""Names that a model may be added under."""

from vidgan.errors import ModelError
from vidgan.models.registry import UNIVERSAL, bundled_names
from vidgan.models.store import check_name, user_models
from vidgan.models.universal.named_styles import named_styles


def check_new_name(name: str, *, overwrite: bool) -> str:
    """The name, if a model may be added under it.

    Args:
        overwrite: replace a model that was added under the name.

    Raises:
        ModelError: no model may be called so, or one is.
    """
    check_name(name)
    if name in (*bundled_names(), UNIVERSAL, *named_styles()):
        raise ModelError(f"{name!r} is a model that comes with vidgan; give another `name`")
    if (user_models() / name).exists() and not overwrite:
        raise ModelError(
            f"there is a model called {name!r} already; `vidgan.models.store.remove({name!r})` removes it, or give "
            "another `name`"
        )
    return name
