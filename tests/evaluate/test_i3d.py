"""I3D is the network of the paper, and its weights come from a file that cannot run code."""

from hashlib import sha256

import pytest
import torch
from safetensors.torch import save_file

from framecast.evaluate.features import FeatureExtractor, I3DFeatures
from framecast.evaluate.i3d import I3D, load_i3d, pad_same, pool_same


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("i3d") / "i3d.safetensors"
    save_file(I3D().state_dict(), path)
    return path


def test_it_has_the_parameters_of_the_paper():
    parameters = dict(I3D().named_parameters())
    assert sum(p.numel() for name, p in parameters.items() if not name.startswith("logits")) == 12_287_264  # "12M"
    assert parameters["Conv3d_1a_7x7.conv3d.weight"].shape == (64, 3, 7, 7, 7)
    assert parameters["Mixed_3b.b0.conv3d.weight"].shape == (64, 192, 1, 1, 1)
    assert parameters["Mixed_4f.b2b.conv3d.weight"].shape == (128, 32, 3, 3, 3)
    assert parameters["logits.conv3d.weight"].shape == (400, 1024, 1, 1, 1) and "logits.conv3d.bias" in parameters


@pytest.mark.parametrize(("size", "kernel", "stride"), [(9, 3, 2), (10, 3, 2), (16, 7, 2), (7, 2, 2), (5, 3, 1), (4, 1, 1)])
def test_padding_gives_one_place_for_each_stride(size, kernel, stride):
    x = torch.rand(1, 1, size, size, size)
    padded = pad_same(x, (kernel,) * 3, (stride,) * 3)
    total = padded.shape[2] - size
    assert (padded.shape[2] - kernel) // stride + 1 == -(-size // stride)
    assert torch.equal(
        padded[:, :, total // 2 : total // 2 + size, total // 2 : total // 2 + size, total // 2 : total // 2 + size], x
    )
    assert pool_same(x, (kernel,) * 3, (stride,) * 3).shape[2] == -(-size // stride)


@pytest.mark.slow
def test_a_clip_of_the_paper_has_400_scores_that_see_every_frame(weights):
    network, video = load_i3d(weights), torch.rand(1, 3, 16, 224, 224) * 2 - 1
    with torch.no_grad():
        scores = network(video)
        assert scores.shape == (1, 400) and scores.isfinite().all()
        video[:, :, -1] *= -1
        assert not torch.equal(network(video), scores)


def test_features_are_the_scores_of_what_the_network_is_used_to(weights):
    extractor: FeatureExtractor = I3DFeatures(weights, size=224)
    assert extractor.comparable and extractor.name == f"i3d.safetensors-{sha256(weights.read_bytes()).hexdigest()[:12]}"
    seen = []
    extractor.network.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    extractor.network.forward = lambda video: video.mean(dim=(2, 3, 4))
    frames = torch.full((1, 16, 32, 48, 3), 255, dtype=torch.uint8)
    frames[..., 1] = 0
    assert torch.allclose(extractor(frames), torch.tensor([[1.0, -1.0, 1.0]])) and seen[0].shape == (1, 3, 16, 224, 224)
    with pytest.raises(ValueError, match=r"got clips of 15 frames; wanted 16.*windows"):
        extractor(frames[:, :15])


def test_files_that_are_no_i3d_are_refused(tmp_path, weights):
    class Detector(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    torch.jit.script(Detector()).save(str(tmp_path / "i3d_torchscript.pt"))
    (tmp_path / "text.pt").write_text("no archive")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"missing\.safetensors cannot be read"):
        load_i3d(tmp_path / "missing.safetensors")
    with pytest.raises(ValueError, match=r"i3d_torchscript\.pt .*TorchScript or a pickle, which can run code.*convert"):
        load_i3d(tmp_path / "i3d_torchscript.pt")
    with pytest.raises(ValueError, match=r"text\.pt is no safetensors file"):
        load_i3d(tmp_path / "text.pt")
    with pytest.raises(ValueError, match=r"holds weights of another network"):
        load_i3d(tmp_path / "other.safetensors")


def test_counts_of_batches_may_be_left_out_and_nothing_else(tmp_path, weights):
    from safetensors.torch import load_file

    values = {name: value for name, value in load_file(weights).items() if not name.endswith("num_batches_tracked")}
    save_file(values, tmp_path / "i3d.safetensors")
    load_i3d(tmp_path / "i3d.safetensors")
    values["logits.conv3d.bias"][3] = float("nan")
    save_file(values, tmp_path / "i3d.safetensors")
    with pytest.raises(ValueError, match=r"values that are not finite in logits\.conv3d\.bias"):
        load_i3d(tmp_path / "i3d.safetensors")
    del values["Mixed_5c.b0.bn.running_mean"]
    save_file(values, tmp_path / "i3d.safetensors")
    with pytest.raises(ValueError, match=r"Mixed_5c\.b0\.bn\.running_mean is missing"):
        load_i3d(tmp_path / "i3d.safetensors")
