"""LPIPS as its paper has it, from a file that cannot run code."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from framecast.tokenizer import FSQ, VideoTokenizerConfig
from framecast.train import LitVideoTokenizer
from framecast.train.perceptual import Lpips, load_perceptual

TINY = VideoTokenizerConfig(patch_size=4, channels=(8, 8), num_blocks=(1, 1), time_strides=(2,))
VGG16 = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512]


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory):
    """Random weights in a file such as people make."""
    torch.manual_seed(0)
    distance, path = Lpips("alexnet"), tmp_path_factory.mktemp("lpips") / "lpips.safetensors"
    weights = distance.state_dict()
    extra = {f"lins.{n}.model.1.weight": weights[f"lin{n}.model.1.weight"].clone() for n in range(5)}
    save_file({**weights, **extra, "scaling_layer.shift": torch.zeros(1, 3, 1, 1)}, path)
    return path


def test_networks_have_the_parameters_of_their_papers():
    counts = {name: sum(p.numel() for p in Lpips(name).net.parameters()) for name in ("vgg16", "alexnet")}
    assert counts == {"vgg16": 14_714_688, "alexnet": 2_469_696}
    names = Lpips("vgg16").state_dict()
    assert {"net.slice1.0.weight", "net.slice3.14.bias", "net.slice5.28.weight", "lin4.model.1.weight"} <= set(names)
    assert {"net.slice2.3.weight", "net.slice5.10.bias"} <= set(Lpips("alexnet").state_dict())


def test_the_distance_is_what_a_loop_gives():
    """VGG16 anew, from its table, with the same weights."""
    torch.manual_seed(0)
    distance, pictures = Lpips("vgg16"), [torch.rand(2, 3, 32, 32) * 2 - 1 for _ in range(2)]
    kernels = [layer for layer in distance.net.modules() if isinstance(layer, nn.Conv2d)]
    mean, spread = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    taps = []
    for picture in pictures:
        x, left, found = (picture - mean[:, None, None]) / spread[:, None, None], iter(kernels), []
        for step in VGG16:
            if step == "pool":
                found.append(x)
                x = F.max_pool2d(x, 2)
            else:
                layer = next(left)
                x = F.relu(F.conv2d(x, layer.weight, layer.bias, padding=1))
        taps.append([*found, x])
    expected = torch.zeros(2)
    for number, (a, b) in enumerate(zip(*taps, strict=True)):
        weight = distance.state_dict()[f"lin{number}.model.1.weight"]
        expected += F.conv2d((F.normalize(a) - F.normalize(b)) ** 2, weight).mean(dim=(1, 2, 3))
    torch.testing.assert_close(distance(*pictures), expected, rtol=1e-4, atol=1e-6)
    assert distance(pictures[0], pictures[0]).abs().max() == 0


def test_a_perceptual_term_comes_from_a_local_file(alexnet):
    torch.manual_seed(0)
    model = LitVideoTokenizer(TINY, FSQ((3, 3)), perceptual_weights=str(alexnet), perceptual=2.0)
    video = torch.rand(1, 3, 3, 64, 64) * 2 - 1
    output = model.tokenizer(video)
    loss, terms = model._reconstruction_terms(output, video)
    distance = load_perceptual(alexnet)
    frames = [x.transpose(1, 2).flatten(0, 1) for x in (output.video, video)]
    torch.testing.assert_close(terms["perceptual"], distance(*frames).mean())
    torch.testing.assert_close(loss, terms["reconstruction"] + terms["quantizer"] + 2 * terms["perceptual"])
    loss.backward()
    assert all(p.grad.isfinite().all() for p in model.tokenizer.parameters() if p.grad is not None)
    assert not any("perceptual" in name for name in model.state_dict()) and not any(
        p.requires_grad for p in distance.parameters()
    )


def test_black_pictures_have_a_gradient(alexnet):
    picture = torch.zeros(1, 3, 64, 64, requires_grad=True)
    load_perceptual(alexnet)(picture, torch.ones(1, 3, 64, 64)).sum().backward()
    assert picture.grad.isfinite().all()


def test_files_that_are_no_lpips_are_refused(tmp_path):
    class Distance(nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return (a - b).abs().mean(dim=(1, 2, 3))

    torch.jit.script(Distance()).save(str(tmp_path / "distance.pt"))
    torch.save({"net.slice1.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "pickle.pt")
    save_file({"net.slice1.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "part.safetensors")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    for name, words in {
        "nothing.pt": "cannot be read",
        "distance.pt": "TorchScript or a pickle, which can run code, and is not opened.*convert",
        "pickle.pt": "TorchScript or a pickle",
        "part.safetensors": "is missing, extra or of another shape",
        "other.safetensors": "wanted LPIPS of VGG16 or AlexNet",
    }.items():
        with pytest.raises(ValueError, match=f"{name} .*{words}"):
            LitVideoTokenizer(TINY, FSQ((3, 3)), perceptual_weights=str(tmp_path / name))
