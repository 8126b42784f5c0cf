"""Large vocabularies in two factors beside one softmax over all of them: P9."""

from collections.abc import Iterator

import torch
from torch import Tensor

from framecast.model.vocabulary import FactorisedVocabulary, FullVocabulary, Vocabulary
from framecast.sample.kernels import prepared

from .timing import Contest, Work

SIZE, BASE, WIDTH = 65_536, 256, 512
DECODED, TRAINED = 16, 1024
"""Tokens of a forward, and of a training step."""


def contests(device: torch.device) -> Iterator[Contest]:
    """Choosing tokens among 65,536, and their loss with its gradients; the memory is that which the gradients need."""
    torch.manual_seed(0)
    split, full = FactorisedVocabulary(SIZE, WIDTH, BASE).to(device), FullVocabulary(SIZE, WIDTH).to(device)
    split = prepared(split)
    share = kept_bytes(split, device) / kept_bytes(full, device)
    shown = f"memory {100 * share:.1f} % of that, <= 40 (P9)"
    name = f"{DECODED} tokens of {SIZE:,}"
    yield Contest(f"choose {name}", choose(split, device), DECODED, "token", choose(full, device), "one softmax", ">= 50 (P9)")
    name = f"{TRAINED} tokens of {SIZE:,}"
    yield Contest(f"loss of {name}", train(split, device), TRAINED, "token", train(full, device), "one softmax", shown)


def choose(vocabulary: Vocabulary, device: torch.device) -> Work:
    """The likeliest tokens."""
    hidden = torch.randn(1, DECODED, WIDTH, device=device)
    return torch.inference_mode()(lambda: vocabulary.sample(hidden, lambda logits: logits.argmax(dim=-1)))


def train(vocabulary: Vocabulary, device: torch.device) -> Work:
    """Loss and gradients."""
    hidden = torch.randn(1, TRAINED, WIDTH, device=device, requires_grad=True)
    tokens = torch.randint(SIZE, (1, TRAINED), device=device)

    def work() -> None:
        vocabulary.zero_grad()
        vocabulary.loss(hidden, tokens).nll.mean().backward()

    return work


def kept_bytes(vocabulary: Vocabulary, device: torch.device) -> int:
    """Bytes that a loss keeps for its gradients, weights left out."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in vocabulary.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    hidden = torch.randn(1, TRAINED, WIDTH, device=device, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = vocabulary.loss(hidden, torch.randint(SIZE, (1, TRAINED), device=device))
    assert loss.nll.requires_grad
    return sum(kept.values())
