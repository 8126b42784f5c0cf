"""The memory of each GPU on paper: what the shipped config needs, and whether the code takes as much."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import torch
import yaml
from fake_processes import one_of
from torch import nn
from trainings import CONFIGS

from framecast.model import VideoLM, VideoLMConfig, VideoLMShape, cpu, layers
from framecast.model.positions import frame_positions, rotary, rotate
from framecast.model.transformer import Embedded
from framecast.tokenizer import FSQ
from framecast.train.sharding.budget import Load, layer_bytes, memory_budget, num_logits, rows_in_process_0
from framecast.train.sharding.placing import on_meta, shard
from framecast.train.sharding.tensors import local

DOCS = Path(__file__).parents[3] / "docs" / "howto" / "several_gpus.md"


def recipe() -> tuple[VideoLMConfig, Load]:
    """What `lm_1b.yaml` trains, on tokens of `folder_tokenizer.yaml` at its size."""
    lm = yaml.safe_load((CONFIGS / "lm_1b.yaml").read_text())
    tokenizer = yaml.safe_load((CONFIGS / "folder_tokenizer.yaml").read_text())["model"]["init_args"]
    data = lm["data"]["init_args"]
    source, quantizer = data["source"]["init_args"], FSQ(tuple(tokenizer["quantizer"]["init_args"]["levels"]))
    side, num_frames = source["size"] // 8, 1 + (source["num_frames"] - 1) // 4
    config = VideoLMConfig(
        **lm["model"]["init_args"]["lm"],
        codebook_size=quantizer.codebook_size,
        codebook_base=quantizer.codebook_base,
        frame_shape=(side, side),
        text_vocab_size=data["text_vocab_size"],
    )
    return config, Load(lm["trainer"]["devices"], data["batch_size"], num_frames)


def test_the_recipe_has_a_billion_parameters_and_takes_its_clips():
    config, load = recipe()
    network = on_meta(config)
    assert all(p.is_meta for p in network.parameters())
    assert sum(p.numel() for p in network.parameters()) == 1_030_125_824
    assert load.num_frames <= config.max_parallel_frames and num_logits(network) == 125 + 512
    assert not {field.name for field in fields(VideoLMShape)} - set(vars(config))


def test_the_table_of_the_docs_is_what_the_code_computes():
    config, load = recipe()
    rows = dict(re.findall(r"^\| ([\w ,()]+?) \|[^|]+\| (\d+\.\d\d) GB \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    budget = memory_budget(config, load)
    wanted = {**budget, "together": sum(budget.values())}
    assert rows == {name: f"{value / 1e9:.2f}" for name, value in wanted.items()}
    assert sum(budget.values()) < 0.5 * 80e9


@pytest.mark.parametrize("processes", [2, 8])
def test_a_process_holds_what_the_budget_says(processes):
    """Split as in a training, of the recipe itself, without its memory."""
    config, _ = recipe()
    held = []
    for rank in (0, processes - 1):
        with one_of(rank, processes) as mesh:
            root, network = nn.Module(), on_meta(config)
            root.lm = network
            root.training_step = root.validation_step = lambda: None
            shard(root, network, mesh, torch.bfloat16)
            assert all(local(p).is_meta for p in root.parameters())
            held.append(sum(local(p).numel() for p in root.parameters()))
    assert held[0] == rows_in_process_0(on_meta(config), processes) >= held[1]
    assert held[0] == pytest.approx(1_030_125_824 / processes, rel=1e-3)


@pytest.mark.parametrize("kv_heads", [2, 4])
def test_a_layer_keeps_what_the_budget_says(kv_heads, monkeypatch):
    """Counted on a small layer, with the kernels of a GPU's kind."""
    monkeypatch.setattr(layers, "trains_on_cpu", lambda _: False)
    monkeypatch.setattr(cpu, "trains_on_cpu", lambda _: False)
    sizes = {"width": 128, "num_heads": 4, "num_kv_heads": kv_heads, "mlp_width": 320}
    config = VideoLMConfig(**sizes, num_layers=1, codebook_size=25, frame_shape=(4, 4), text_vocab_size=20)
    layer = layers_of(config)
    clips, frames = 5, 3
    x = torch.randn(clips, frames * 16, config.width, requires_grad=True)
    kept = saved_bytes(layer, x, prompt(config, clips), frames)
    assert kept / x[..., 0].numel() == pytest.approx(layer_bytes(config), rel=0.05)


def layers_of(config: VideoLMConfig) -> nn.Module:
    torch.manual_seed(0)
    return VideoLM(config).layers[0]


def prompt(config: VideoLMConfig, clips: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    shape = (clips, config.num_kv_heads, 1, config.width // config.num_heads)
    return torch.randn(shape), torch.randn(shape), torch.ones(clips, 1, 1, 1, dtype=torch.bool)


def saved_bytes(layer: nn.Module, x: torch.Tensor, prompt: tuple, frames: int) -> int:
    """Bytes of all that a forward pass keeps, but for weights, which are told by their shapes."""
    angles = rotary(frame_positions(torch.arange(frames), 4, 4), prompt[0].shape[-1])
    kept: dict[int, int] = {}
    shapes = {tuple(p.shape) for p in layer.parameters()} | {tuple(p.shape)[::-1] for p in layer.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tuple(tensor.shape) not in shapes:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    def see(queries, keys, values):
        return rotate(queries, angles), rotate(keys, angles), values

    length = x.shape[1]
    mask = torch.ones(length, length, dtype=torch.bool).tril()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), torch.autocast("cpu", dtype=torch.bfloat16):
        layer(x, Embedded(torch.zeros(x.shape[:2], dtype=torch.long), x), see, mask, prompt)
    return sum(kept.values())
