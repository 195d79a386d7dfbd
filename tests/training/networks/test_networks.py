"""Generators: what their clever parts compute, against the plain way of computing it."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks import GENERATORS, build_generator
from training.networks.johnson import Johnson
from training.networks.local_contrast import UNKNOWN_STAT, ImageStats, image_stats, local_contrast_normalize
from training.networks.patch_features import PatchFeatures
from training.networks.pixels import pixel_shuffle, pixel_unshuffle, quantize_image, reflect_pad
from training.networks.swift import Swift
from training.networks.swift_layers import FadingNorm, UpConv, to_block_conv


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_swift(seed: int = 0) -> Swift:
    """Ready for export: random weights, and running statistics as if from training."""
    torch.manual_seed(seed)
    swift = Swift().eval()
    for module in swift.modules():
        if isinstance(module, FadingNorm):
            nn.init.normal_(module.mean, std=0.5)
            nn.init.uniform_(module.variance, 0.2, 3.0)
            nn.init.normal_(module.weight, mean=1.0, std=0.3)
            nn.init.normal_(module.bias, std=0.3)
    nn.init.normal_(swift.up_full.bias, mean=0.5, std=0.1)  # type: ignore[arg-type]
    swift.set_instance_share(0.0)
    return swift


def macs_per_pixel(network: nn.Module, side: int = 512) -> float:
    """Multiplications of all convolutions a pixel, for one large square image, by hooks."""
    total = 0

    def count(layer: nn.Module, _: object, result: Tensor | tuple[Tensor, Tensor]) -> None:
        nonlocal total
        y = result if isinstance(result, Tensor) else result[0]
        weight = layer.weight
        assert isinstance(weight, Tensor)
        total += y.numel() * weight[0].numel()

    hooks = [
        layer.register_forward_hook(count)
        for layer in network.modules()
        if isinstance(layer, (nn.Conv2d, UpConv, PatchFeatures))
    ]
    with torch.no_grad():
        network(torch.rand(1, 3, side, side, generator=seeded()))
    for hook in hooks:
        hook.remove()
    return total / side**2


def test_fold_pixels_is_torchs_pixel_unshuffle_with_colors_last() -> None:
    x = torch.arange(2 * 8 * 12 * 3).reshape(2, 8, 12, 3)
    folded = pixel_unshuffle(x, 4)
    assert folded.shape == (2, 2, 3, 48)
    # Rows before columns before colors: pixel (1, 2) of a cell, green.
    assert folded[1, 1, 2, (1 * 4 + 2) * 3 + 1] == x[1, 4 + 1, 8 + 2, 1]
    expected = (
        F.pixel_unshuffle(x.permute(0, 3, 1, 2), 4).reshape(2, 3, 16, 2, 3).transpose(1, 2).flatten(1, 2)
    )
    assert torch.equal(folded.permute(0, 3, 1, 2), expected)


@pytest.mark.parametrize("side", [2, 4])
def test_unfold_pixels_undoes_fold_pixels(side: int) -> None:
    x = torch.rand(2, 8, 12, 5, generator=seeded())
    assert torch.equal(pixel_shuffle(pixel_unshuffle(x, side), side), x)


def test_unfold_pixels_is_torchs_pixel_shuffle_with_phases_first() -> None:
    x = torch.rand(2, 3, 5, 12, generator=seeded())
    channels = x.permute(0, 3, 1, 2).reshape(2, 4, 3, 3, 5).transpose(1, 2).flatten(1, 2)
    assert torch.equal(pixel_shuffle(x, 2).permute(0, 3, 1, 2), F.pixel_shuffle(channels, 2))


def up_conv(inputs: int = 3, outputs: int = 2) -> UpConv:
    torch.manual_seed(0)
    layer = UpConv(inputs, outputs)
    nn.init.normal_(layer.bias)
    return layer


def enlarged(layer: UpConv | nn.Conv2d, x: Tensor) -> Tensor:
    with torch.no_grad():
        return pixel_shuffle(layer(x).permute(0, 2, 3, 1), 2).permute(0, 3, 1, 2)


def test_up_conv_is_bilinear_resize_and_convolution() -> None:
    layer = up_conv()
    x = torch.randn(2, 3, 6, 5, generator=seeded())
    large = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    expected = F.conv2d(large, layer.weight, layer.bias)[:, :, 1:-1, 1:-1]
    torch.testing.assert_close(enlarged(layer, x), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(enlarged(layer.folded(), x), expected, rtol=1e-5, atol=1e-5)


def test_up_conv_draws_no_grid_on_constant_features_nor_stairs_on_a_slope() -> None:
    layer = up_conv()
    flat = enlarged(layer, torch.tensor([0.3, -1.0, 2.0])[None, :, None, None].expand(1, 3, 8, 8))
    inside = flat[:, :, 2:-2, 2:-2]
    assert (inside - inside[:, :, :1, :1]).abs().max() < 1e-5
    slope = enlarged(layer, torch.arange(10.0).expand(1, 3, 8, 10))
    assert slope[:, :, 2:-2, 2:-2].diff(2, dim=3).abs().max() < 1e-4


def test_gradients_of_up_conv_reach_weight_and_bias() -> None:
    layer = up_conv()
    layer(torch.randn(1, 3, 4, 4, generator=seeded())).square().sum().backward()
    for parameter in layer.parameters():
        assert parameter.grad is not None and (parameter.grad != 0).all()


def test_swift_is_cheap_and_says_so() -> None:
    swift = random_swift()
    assert macs_per_pixel(swift) <= 16000
    # As its module's docstring says.
    assert macs_per_pixel(swift) == pytest.approx(7_000, rel=0.02)
    swift.fold()
    assert macs_per_pixel(swift) == pytest.approx(7_000, rel=0.02)
    swift.up_full = to_block_conv(swift.up_full)  # type: ignore[arg-type]
    assert macs_per_pixel(swift) == pytest.approx(8_300, rel=0.02)


def test_all_on_cells_is_the_same_network() -> None:
    swift, x = random_swift(), torch.rand(2, 3, 32, 48, generator=seeded())
    with torch.no_grad():
        swift.fold()
        before = swift(x)
        swift.up_full = to_block_conv(swift.up_full)  # type: ignore[arg-type]
        torch.testing.assert_close(swift(x), before, rtol=0, atol=1e-5)


def test_johnson_costs_ten_times_as_much() -> None:
    # 154k as its docstring says.
    assert macs_per_pixel(Johnson().eval()) == pytest.approx(154_000, rel=0.05)


def test_fold_keeps_the_function() -> None:
    swift = random_swift()
    x = torch.rand(2, 3, 32, 48, generator=seeded())
    with torch.no_grad():
        before = swift(x)
        swift.fold()
        after = swift(x)
    assert not any(isinstance(module, (FadingNorm, UpConv)) for module in swift.modules())
    assert before.std() > 0.02
    torch.testing.assert_close(after, before, rtol=0, atol=1e-4)


def test_fold_twice_is_fold_once() -> None:
    swift, x = random_swift(), torch.rand(1, 3, 16, 16, generator=seeded())
    with torch.no_grad():
        swift.fold()
        before = swift(x)
        swift.fold()
        assert torch.equal(swift(x), before)


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_shapes_range_and_gradients(name: str) -> None:
    torch.manual_seed(0)
    generator = build_generator(name)
    x = torch.rand(2, 3, 32, 48, generator=seeded())
    with torch.no_grad():
        y = generator.eval()(x)
    assert y.shape == x.shape and y.dtype == torch.float32
    assert y.min() >= 0 and y.max() <= 1
    generator.train()(x).square().mean().backward()
    assert all(parameter.grad is not None for parameter in generator.parameters())


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_bytes_give_the_same_image_as_floats(name: str) -> None:
    torch.manual_seed(0)
    generator = random_swift() if name == "swift" else build_generator(name).eval()
    images = torch.randint(0, 256, (2, 32, 48, 3), generator=seeded(), dtype=torch.uint8)
    with torch.no_grad():
        expected = generator(images.permute(0, 3, 1, 2).float() / 255).permute(0, 2, 3, 1)
        bytes_ = generator.run_bytes(images)
    got = bytes_[0] if isinstance(bytes_, tuple) else bytes_
    assert got.dtype == torch.uint8 and got.shape == (2, 32, 48, 3)
    assert (got.float() - 255 * expected).abs().max() <= 0.51


def test_flat_ground_is_output_alike_up_to_the_border() -> None:
    """There is nothing round the image that tells a generator where it ends: no zeros, no seam."""
    x = torch.tensor([0.7, 0.4, 0.2])[None, :, None, None].expand(1, 3, 64, 72)
    swift = random_swift()
    with torch.no_grad():
        output = swift(x)
        swift.fold()
        swift.up_full = to_block_conv(swift.up_full)  # type: ignore[arg-type]
        on_its_cells = swift(x)
    for each in (output, on_its_cells):
        assert (each - each[:, :, :1, :1]).abs().max() < 1e-5


def test_a_border_changes_only_what_is_near_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within reach of the convolutions, 68 pixels; a tiled image counts on it."""

    def daylight(cells: Tensor, white: float, known: Tensor | None) -> ImageStats:
        one = torch.ones_like(cells[..., :1])
        return ImageStats(0.4 * one[:, :1, :1].expand(-1, -1, -1, 3), 0.1 * one, 3 * one, torch.zeros(1, 4))

    monkeypatch.setattr("training.networks.patch_features.image_stats", daylight)
    swift = random_swift()
    x = torch.rand(1, 3, 240, 240, generator=seeded())
    with torch.no_grad():
        whole, part = swift(x), swift(x[:, :, 24:, 40:])
    torch.testing.assert_close(part[:, :, 72:, 72:], whole[:, :, 96:, 112:], rtol=1e-4, atol=1e-5)
    assert (part[:, :, :8] - whole[:, :, 24:32, 40:]).abs().max() > 0.01


def test_cells_are_features_of_evened_pixels() -> None:
    """ImageStats is taken from features as it would be from pixels, where it does not change within a cell."""
    torch.manual_seed(0)
    cells = PatchFeatures(7)
    x = torch.rand(2, 12, 16, 48, generator=seeded())
    pixels = pixel_shuffle(x, 4).permute(0, 3, 1, 2)
    half = pixel_unshuffle(F.avg_pool2d(pixels, 2).permute(0, 2, 3, 1), 2)
    color, local_mean, gain, _ = image_stats(half, 1.0)
    even = (x - color.repeat(1, 1, 1, 16) - local_mean) * gain
    with torch.no_grad():
        expected = even @ cells.weight[:, :, 0, 0].T
        torch.testing.assert_close(cells(x, 1.0)[0], expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(cells.folded()(x, 1.0)[0], expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(cells(255 * x, 255.0)[0], expected, rtol=1e-3, atol=1e-3)
    other = PatchFeatures(7)
    folded = cells.folded()
    other.load_folded_weights(folded.matrix)
    assert torch.equal(other.weight, cells.weight)


def test_a_part_is_seen_in_the_light_of_the_whole() -> None:
    """Away from where the part ends, and not without knowing of the whole."""
    torch.manual_seed(0)
    x = torch.rand(1, 60, 60, 12, generator=seeded()) * torch.linspace(0.2, 1, 60)[:, None, None]
    whole = image_stats(x, 1.0)
    rows = slice(0, 40)
    part = image_stats(x[:, rows], 1.0, whole.of_image)
    inside = slice(0, 24)
    torch.testing.assert_close(part.color, whole.color)
    torch.testing.assert_close(part.local_mean[:, inside], whole.local_mean[:, inside], rtol=0, atol=1e-5)
    torch.testing.assert_close(part.gain[:, inside], whole.gain[:, inside], rtol=1e-4, atol=1e-5)
    alone, unknowing = (
        image_stats(x[:, rows], 1.0),
        image_stats(x[:, rows], 1.0, torch.full((1, 4), UNKNOWN_STAT)),
    )
    for one, other in zip(alone, unknowing, strict=True):
        assert torch.equal(one, other)
    assert (alone.gain[:, inside] - whole.gain[:, inside]).abs().mean() > 0.02


def test_light_of_half_the_pixels_is_about_that_of_all() -> None:
    rows, columns = torch.meshgrid(torch.arange(160.0), torch.arange(240.0), indexing="ij")
    wave = 0.4 + 0.2 * torch.sin(rows / 17) * torch.cos(columns / 29) + 0.001 * columns
    image = torch.stack([wave, 0.9 * wave + 0.05, wave.square()], 2)[None]
    cells = pixel_unshuffle(image, 4)
    half = pixel_unshuffle(F.avg_pool2d(image.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1), 2)
    color, local_mean, gain, _ = image_stats(half, 1.0)
    about = (cells - color.repeat(1, 1, 1, 16) - local_mean) * gain
    error = (about - local_contrast_normalize(cells, 1.0)).abs()
    assert error.mean() < 0.05 and error.max() < 0.5


def test_up_conv_after_another_can_be_computed_on_their_cells() -> None:
    folded = up_conv().folded()
    nn.init.normal_(folded.weight)
    x = torch.randn(2, 12, 7, 6, generator=seeded())  # PatchFeatures of 2×2 with 3 channels.
    with torch.no_grad():
        expected = enlarged(folded, pixel_shuffle(x.permute(0, 2, 3, 1), 2).permute(0, 3, 1, 2))
        got = to_block_conv(folded)(x)
    got = pixel_shuffle(got.permute(0, 2, 3, 1), 4).permute(0, 3, 1, 2)
    torch.testing.assert_close(got, expected[:, :, 2:-2, 2:-2], rtol=1e-5, atol=1e-5)


def test_quantize_image_rounds_and_saturates() -> None:
    x = torch.tensor([-0.2, 0.0, 0.4 / 255, 0.6 / 255, 1.0, 1.7])
    assert quantize_image(x).tolist() == [0, 0, 0, 1, 255, 255]


def test_training_lets_saturated_pixels_keep_a_gradient() -> None:
    swift = random_swift()
    nn.init.constant_(swift.up_full.bias, 5.0)  # type: ignore[arg-type]
    x = torch.rand(1, 3, 16, 16, generator=seeded())
    assert swift(x).max() == 1
    swift.train()(x).sum().backward()
    assert isinstance(swift.up_full, UpConv)
    assert swift.up_full.bias.grad is not None and bool((swift.up_full.bias.grad > 0).all())


def test_input_is_centered_and_its_contrast_is_one() -> None:
    x = torch.rand(2, 24, 24, 48, generator=seeded())
    y = local_contrast_normalize(x, 1.0)
    assert y.mean((1, 2, 3)).abs().max() < 0.02
    assert float(y.std()) == pytest.approx(1, rel=0.1)
    torch.testing.assert_close(local_contrast_normalize(255 * x, 255.0), y)
    torch.testing.assert_close(local_contrast_normalize(x + 0.7, 1.0), y, rtol=1e-3, atol=1e-4)
    flat = local_contrast_normalize(0.5 + 1e-3 * (x - 0.5), 1.0)
    assert flat.abs().max() < 0.01  # Hardly any contrast stays hardly any.


def test_shadow_comes_closer_to_light() -> None:
    detail = 0.1 * torch.rand(1, 40, 80, 48, generator=seeded())
    shadow, light = 0.2 * detail, 0.7 + detail
    x = torch.cat([shadow, light], 2)
    y = local_contrast_normalize(x, 1.0)
    dark, bright = slice(0, 60), slice(100, 160)  # Away from the border between them.
    assert float(y[:, :, bright].mean() - y[:, :, dark].mean()) > 1
    # Drawn more clearly than if the contrast of the whole image were simply made 1.
    assert y[:, :, dark].std() > 1.5 * shadow.std() / x.std()


def test_colors_keep_their_relation() -> None:
    x = torch.rand(1, 20, 20, 48, generator=seeded())
    before, after = (each.unflatten(3, (16, 3)) for each in (x, local_contrast_normalize(x, 1.0)))
    before = before - before.mean((1, 2, 3))
    # Differences between the channels are scaled by one positive number a place, and nothing else.
    a, b = before[..., 0] - before[..., 1], after[..., 0] - after[..., 1]
    scale = (a * b).sum(3, keepdim=True) / a.square().sum(3, keepdim=True)
    assert scale.min() > 0
    torch.testing.assert_close(b, scale * a, rtol=1e-3, atol=1e-4)


def statistics(norm: FadingNorm, batches: int) -> None:
    generator = seeded(4)
    for _ in range(batches):
        norm(3 + 2 * torch.randn(2, 4, 16, 16, generator=generator))


def test_fading_norm_begins_as_instance_normalization() -> None:
    norm = FadingNorm(4).train()
    x = 3 + 2 * torch.randn(2, 4, 6, 6, generator=seeded())
    torch.testing.assert_close(norm(x), F.instance_norm(x, eps=norm.epsilon))


def test_fading_norm_follows_the_data_and_ends_with_its_statistics() -> None:
    norm = FadingNorm(4).train()
    statistics(norm, 400)
    torch.testing.assert_close(norm.mean, torch.full((4,), 3.0), rtol=0, atol=0.1)
    torch.testing.assert_close(norm.variance, torch.full((4,), 4.0), rtol=0.1, atol=0)
    norm.instance_share.fill_(0.0)
    before = norm.mean.clone(), norm.variance.clone()
    x = 10 + torch.randn(1, 4, 6, 6, generator=seeded())
    y = norm(x)
    assert torch.equal(norm.mean, before[0]) and torch.equal(norm.variance, before[1])
    expected = (x - norm.mean[:, None, None]) / (norm.variance[:, None, None] + norm.epsilon).sqrt()
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-4)


def test_fading_norm_moves_from_one_to_the_other_without_a_jump() -> None:
    norm = FadingNorm(4).eval()
    nn.init.constant_(norm.mean, 1.0)
    nn.init.constant_(norm.variance, 2.0)
    x = 3 + 2 * torch.randn(2, 4, 6, 6, generator=seeded())
    outputs = []
    for share in (1.0, 0.999, 0.5, 0.001, 0.0):
        norm.instance_share.fill_(share)
        outputs.append(norm(x).detach())
    steps = [float((a - b).abs().max()) for a, b in itertools.pairwise(outputs)]
    assert steps[0] < 0.02 and steps[3] < 0.02
    assert steps[1] > 0.2 and steps[2] > 0.2


def test_evaluation_leaves_statistics_alone() -> None:
    norm = FadingNorm(4).eval()
    statistics(norm, 3)
    assert torch.equal(norm.mean, torch.zeros(4))


def test_complete_mirrors_below_and_right() -> None:
    x = torch.rand(1, 3, 16, 17)
    assert torch.equal(reflect_pad(x, 8), F.pad(x, (0, 7, 0, 0), mode="reflect"))
    assert reflect_pad(torch.rand(1, 3, 17, 25), 8).shape == (1, 3, 24, 32)
