"""The layers, one after the other."""

import pytest
import torch
from torch.utils import checkpoint

from framecast.model import VideoLM, VideoLMConfig, transformer

CONFIG = VideoLMConfig(
    width=32,
    num_layers=3,
    mlp_width=48,
    text_width=32,
    text_layers=1,
    codebook_size=25,
    frame_shape=(2, 2),
    text_vocab_size=20,
    embedding_skip=True,
    value_embeddings=True,
)


def gradients(lm: VideoLM) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    tokens, ids = torch.randint(0, 25, (2, 8), generator=rng), torch.randint(0, 20, (2, 1, 5), generator=rng)
    lm.zero_grad()
    hidden = lm(tokens, lm.encode_prompts(ids, ids >= 0), 2).hidden
    lm.vocabulary.loss(hidden, tokens).nll.mean().backward()
    return {name: p.grad.clone() for name, p in lm.named_parameters() if p.grad is not None}


def test_activations_that_are_computed_again_give_the_same_gradients(monkeypatch):
    torch.manual_seed(0)
    lm = VideoLM(CONFIG)
    for parameter in lm.parameters():  # nothing is zero, so that all layers have gradients
        torch.nn.init.normal_(parameter, std=0.2)
    plain, calls = gradients(lm), []

    def counted(*args, **options):
        calls.append(args[0])
        return checkpoint.checkpoint(*args, **options)

    monkeypatch.setattr(transformer, "checkpoint", counted)
    lm.layers.activation_checkpointing = True
    again = gradients(lm)
    assert calls == list(lm.layers)
    assert plain.keys() == again.keys() and all(torch.equal(plain[name], grad) for name, grad in again.items())
    with torch.no_grad():
        tokens = torch.zeros(1, 4, dtype=torch.long)
        lm(tokens, lm.encode_prompts(tokens[None, :, :3], tokens[None, :, :3] >= 0), 2)
    assert len(calls) == 3  # there is no backward pass to save memory for


@pytest.mark.parametrize("missing", ["layers.0.attention.qkv.weight"])
def test_control_gradients_are_of_all_layers(missing):
    torch.manual_seed(0)
    assert missing in gradients(VideoLM(CONFIG))
