"""Networks of arms that did not pay, built out of the video LM's own parts."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from framecast.model import VideoLM, VideoLMConfig
from framecast.model.layers import zero_linear
from framecast.model.transformer import Layer
from framecast.model.vocabulary import FactorisedVocabulary

_CAP = 20.0


class TwoMatrices(nn.Module):
    """A feed-forward layer with ReLU squared (So et al. 2021), of as many parameters as SwiGLU."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.up = nn.Linear(width, 3 * hidden // 2, bias=False)
        self.down = zero_linear(3 * hidden // 2, width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(F.relu(self.up(x)).square())
        return y


class ReluSquared(VideoLM):
    """With `TwoMatrices` in the place of SwiGLU."""

    def __init__(self, config: VideoLMConfig):
        super().__init__(config)
        for part in self.layers:
            assert isinstance(part, Layer)
            part.mlp = TwoMatrices(config.width, config.mlp_width)  # type: ignore[assignment]


class Capped(VideoLM):
    """Logits that stay within 20 of zero (Gemma 2)."""

    def __init__(self, config: VideoLMConfig):
        super().__init__(config)
        assert isinstance(self.vocabulary, FactorisedVocabulary)
        for head in (self.vocabulary.high_head, self.vocabulary.low_head):
            head.register_forward_hook(lambda _, __, logits: _CAP * torch.tanh(logits / _CAP))


class PreviousPlace(VideoLM):
    """Adds to each input an embedding of the token at the place that is predicted, in the latent frame before; trains only.

    The embedding starts as zero.
    """

    def __init__(self, config: VideoLMConfig):
        super().__init__(config)
        self.previous = nn.Embedding(config.codebook_size + 1, config.width)
        nn.init.zeros_(self.previous.weight)

    def _embed(self, inputs: Tensor, offset: int, first: Tensor, block_length: int, actions: object) -> Tensor:
        embedded: Tensor = super()._embed(inputs, offset, first, block_length, actions)  # type: ignore[arg-type]
        return embedded + self.previous(self.tokens_before(inputs, block_length))

    def tokens_before(self, inputs: Tensor, block_length: int) -> Tensor:
        """The tokens a latent frame before those that are predicted; the start in the first latent frame."""
        places = torch.arange(inputs.shape[1], device=inputs.device) - self.frame_length
        shift = torch.where(places < self.frame_length - block_length, 1, block_length)  # the first latent frame goes by tokens
        found = inputs[:, (places + shift).clamp(0, inputs.shape[1] - 1)]
        return torch.where(places >= 0, found, self.start_id)


class FullTable(VideoLM):
    """A vector for each whole token beside those of its two factors, in what enters the first layer."""

    def __init__(self, config: VideoLMConfig):
        super().__init__(config)
        self.whole = nn.Embedding(config.codebook_size + 1, config.width)
        nn.init.zeros_(self.whole.weight)

    def _embed(self, inputs: Tensor, offset: int, first: Tensor, block_length: int, actions: object) -> Tensor:
        embedded: Tensor = super()._embed(inputs, offset, first, block_length, actions)  # type: ignore[arg-type]
        return embedded + self.whole(inputs)
