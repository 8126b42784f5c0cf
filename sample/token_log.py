"""`TokenLog`: all tokens of a stream, and the prompts that held for them."""

from collections.abc import Sequence

import torch
from torch import Tensor


class TokenLog:
    """The tokens of a stream, in one small array that doubles when it is full: 4 bytes a token.

    Args:
        tokens: int `[T, H, W]`, those to begin with; T may be 0.
        prompts: The prompts that held for them, with the latent frames from which they did.
    """

    def __init__(self, tokens: Tensor, prompts: Sequence[tuple[int, str]] = ()):
        self._memory, self._length = tokens.to("cpu", torch.int32), len(tokens)
        self._prompts = list(prompts)

    @torch.inference_mode()
    def append(self, tokens: Tensor, prompt: str) -> None:
        """Adds a latent frame `[H, W]` and the prompt that held for it."""
        if not self._prompts or self._prompts[-1][1] != prompt:
            self._prompts.append((self._length, prompt))
        if self._length == len(self._memory):
            self._memory = torch.cat([self._memory, self._memory.new_empty(max(16, self._length), *tokens.shape)])
        self._memory[self._length] = tokens
        self._length += 1

    def __len__(self) -> int:
        return self._length

    @property
    def prompts(self) -> tuple[tuple[int, str], ...]:
        """The prompts, with the latent frames from which they held."""
        return tuple(self._prompts)

    def tokens(self) -> Tensor:
        """int64 `[T, H, W]`."""
        return self._memory[: self._length].long()
