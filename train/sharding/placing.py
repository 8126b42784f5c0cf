"""A video LM is built without memory, split over the processes layer by layer, and filled from process 0."""

from collections.abc import Callable

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method

from ...model import VideoLM, VideoLMConfig
from ...model.transformer import Layer
from .tensors import give_back, whole
from .together import together

_STEPS = ("training_step", "validation_step")


def on_meta(config: VideoLMConfig) -> VideoLM:
    """The network without memory: shapes only."""
    with torch.device("meta"):
        return VideoLM(config)


def shard(module: nn.Module, network: VideoLM, mesh: DeviceMesh, dtype: torch.dtype | None) -> None:
    """Splits the weights of a network by rows over the processes of `mesh` (FSDP2), and with them gradients and optimizer.

    Layers are gathered one at a time, while they compute. What stands around the layers is gathered for a whole step.

    Args:
        module: What the network is a part of; each of its steps counts as one forward pass.
        network: The network, without memory.
        mesh: The processes, in one dimension.
        dtype: In which precision layers are gathered; None keeps that of the weights. Gradients are summed in float32.
    """
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for layer in network.layers:
        assert isinstance(layer, Layer), layer
        if layer.cross is not None:  # these two make the prompt's memory before the layers run
            fully_shard([layer.cross.key_value, layer.cross.key_norm], mesh=mesh, mp_policy=policy)
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(module, mesh=mesh)
    for step in _STEPS:
        register_fsdp_forward_method(module, step)


def fill(module: nn.Module, network: VideoLM, make_first: Callable[[], VideoLM], device: torch.device) -> None:
    """Gives memory to split weights, and the values of a network that process 0 alone makes, on its CPU.

    So the first weights are those of a training that is not split. All processes must call this.
    """
    module.to_empty(device=device)
    made: list[VideoLM] = []
    together(lambda: made.append(make_first()) if torch.distributed.get_rank() == 0 else None)
    values = made[0].state_dict() if made else {}
    set_model_state_dict(network, values, options=StateDictOptions(full_state_dict=True, broadcast_from_rank0=True))


def gathered(module: nn.Module, network: VideoLM, device: torch.device) -> VideoLM | None:
    """A copy of the network with all its weights, in process 0; None in the others. All processes must call this.

    Weights come one by one, so that process 0 alone has room for all of them.
    """
    give_back(module)
    first = torch.distributed.get_rank() == 0
    copy = on_meta(network.config).to_empty(device=device).eval() if first else None
    for name, parameter in network.named_parameters():
        value = whole(parameter)
        if copy is not None:
            copy.get_parameter(name).detach().copy_(value)
    return copy
