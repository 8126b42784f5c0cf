"""FSQ is vector-quantize-pytorch's, bit for bit; only it does not load that package."""

import subprocess
import sys

import pytest
import torch
import vector_quantize_pytorch

from framecast.tokenizer import FSQ

LEVELS = [(8, 5, 5, 5), (3,), (4, 3, 5), (16, 16, 15), (7, 5, 5, 5, 5)]


def both(levels: tuple[int, ...], training: bool) -> tuple[FSQ, torch.nn.Module]:
    return FSQ(levels).train(training), vector_quantize_pytorch.FSQ(list(levels)).train(training)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("levels", LEVELS, ids=str)
def test_codes_tokens_and_gradients_are_those_of_the_library(levels, training):
    own, library = both(levels, training)
    given = torch.randn(3, 257, len(levels), generator=torch.Generator().manual_seed(1)) * 2
    given = torch.cat([given, torch.tensor([0.0, -0.0, 1e-30, 50.0, -50.0])[None, :, None].expand(3, -1, len(levels))], dim=1)
    ours, theirs = given.clone().requires_grad_(), given.clone().requires_grad_()
    codes, tokens, _ = own._quantize(ours)
    expected, indices = library(theirs)
    assert torch.equal(codes, expected) and torch.equal(tokens, indices) and tokens.dtype == indices.dtype
    weights = torch.randn_like(codes)
    (codes * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("levels", LEVELS, ids=str)
def test_the_table_of_codes_is_that_of_the_library(levels):
    own, library = both(levels, training=False)
    tokens = torch.arange(own.codebook_size)[None]
    assert torch.equal(own._lookup(tokens)[0], library.implicit_codebook)
    assert torch.equal(own._lookup(tokens), library.indices_to_codes(tokens))
    assert torch.equal(own._invert(own._lookup(tokens)), library.codes_to_indices(library.indices_to_codes(tokens)))


def test_nothing_of_it_is_saved():
    assert FSQ().state_dict() == {} == vector_quantize_pytorch.FSQ([8, 5, 5, 5]).state_dict()


def test_the_library_is_not_loaded_for_it():
    code = (
        "import sys, framecast.tokenizer as t; t.FSQ(); t.quantizer_named('FSQ')\n"
        "assert not {'vector_quantize_pytorch', 'einx', 'sympy'} & sys.modules.keys(), 'FSQ'\n"
        "t.VQ(8, 2); assert 'vector_quantize_pytorch' in sys.modules, 'the control'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
