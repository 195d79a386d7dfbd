"""Settings that several recipes share."""

from dataclasses import dataclass

from training.core.recipe import RecipeConfig, setting

CLASSES_HELP = "a file with lines of name, red, green, blue; or camvid"


@dataclass(frozen=True, kw_only=True)
class UNetConfig(RecipeConfig):
    """Settings of recipes that train a U-Net, or another network of stages, on crops of one size."""

    base_channels: int = setting("Channels of the network's first stage.", 32)
    depth: int = setting("Stages of a U-Net, or residual blocks.", 6)
    image_height: int = setting("Height of the training crops.", 192)
    image_width: int = setting("Width of the training crops.", 256)


@dataclass(frozen=True, kw_only=True)
class LabeledConfig(UNetConfig):
    """Settings of recipes on label maps."""

    classes: str = setting(f"Classes of the labels: {CLASSES_HELP}.", "camvid", kind="classes")


@dataclass(frozen=True, kw_only=True)
class LossNetworkConfig(RecipeConfig):
    """Settings of recipes that train on photos with loss networks."""

    photos: list[str] = setting("Folder of photos; repeatable.", kind="folders")
    weights: dict[str, str] = setting(
        "Loss network's weights, safetensors in torchvision's layout (vgg16=…, squeezenet=…); "
        "without it torchvision downloads its own.",
        {},
        kind="weights",
    )
