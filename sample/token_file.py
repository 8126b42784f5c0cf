"""Token files (`.fct`): a video as its tokens, written while it is made and readable while it is written.

A file is a magic word and then records: 8 bytes of length, and that many bytes of `pack`, which carries a checksum. The first
record says what the tokens are; each later one holds latent frames, and the prompt if it is another than before. What is cut
off at the end is left out, so that a file can be read while it grows, and after a crash.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import torch
from torch import Tensor

from ..data.actions import ActionError
from ..data.files import naming
from ..data.kinds import as_path
from ..data.reading import regular_size
from ..stride import Stride
from .packing import PackingError, pack, unpack
from .past import Changes, Past, Recipe
from .token_header import TokenHeader

SUFFIX = ".fct"
_MAGIC = b"FRAMECAST TOKENS 1\n"
_LENGTH_BYTES, _LARGEST_RECORD = 8, 2**26


class TokenFileError(ValueError):
    """A token file that cannot be read or does not fit; the message says why and what to do."""


@dataclass(frozen=True, eq=False, repr=False)
class TokenVideo:
    """A video as tokens.

    Attributes:
        header: What the tokens are.
        tokens: int64 `[T, H, W]`.
        prompts: The prompts with the latent frames from which they hold, in order; empty if none is known.
        num_bytes: Size of what was read.
        whole: False if the end of the file is cut off, or still being written.
        recipes: Seeds and settings with the latent frames from which they hold, and which were given; none of encoded videos.
        actions: float32 `[T, stride, A]`, what was done, NaN where that is unknown; `None` without an action space.
    """

    header: TokenHeader
    tokens: Tensor
    prompts: tuple[tuple[int, str], ...]
    num_bytes: int
    whole: bool
    recipes: Changes[Recipe] = ()
    actions: Tensor | None = None

    def __repr__(self) -> str:
        header = self.header
        sizes = f"{header.height}x{header.width}, {header.fps:g} frames/s, {len(self.tokens):,} latent frames"
        return f"TokenVideo({self.num_frames:,} frames of {sizes}, by {header.name!r})"

    @property
    def num_frames(self) -> int:
        """Frames of the video."""
        return Stride(self.header.temporal_stride).num_frames(len(self.tokens))

    @property
    def seconds(self) -> float:
        """Length of the video."""
        return self.num_frames / self.header.fps

    @property
    def bits_per_pixel(self) -> float:
        """Bits of the tokens, at log2 of the codebook's size each; `num_bytes` says what the file spends with all around them."""
        pixels = self.num_frames * self.header.height * self.header.width
        return self.tokens.numel() * math.log2(self.header.codebook_size) / max(pixels, 1)

    @property
    def past(self) -> Past:
        """What is known of the stream that made it."""
        return Past(self.tokens, self.prompts, self.recipes, self.actions)

    def check(self, own: TokenHeader) -> Self:
        """This video, if a tokenizer of which `own` speaks can decode it.

        Raises:
            TokenFileError: Another tokenizer made it, or it holds no latent frame yet.
        """
        made = self.header
        if made.tokenizer != own.tokenizer:
            raise TokenFileError(
                f"got tokens of the tokenizer of {made.name!r} (sha256 {made.tokenizer[:12]}...) for that of {own.name!r} "
                f"({own.tokenizer[:12]}...); wanted tokens of the same one; use the bundle that made them (`--bundle`)"
            )
        if not len(self.tokens):
            raise TokenFileError(
                "got a token file without a latent frame; wanted at least one; wait until one is written, or copy anew "
                "a file that was cut off"
            )
        return self

    def timeline(self) -> list[tuple[float, str]]:
        """The prompts by second, as `generator.stream` takes them."""
        stride = Stride(self.header.temporal_stride)
        return [(stride.num_frames(start) / self.header.fps, text) for start, text in self.prompts]


class TokenWriter:
    """Writes a token file while its video is made; every latent frame is on its way to the disk when `append` returns.

    Args:
        file: Where to write; an older file there is replaced at once.
        header: What the tokens are.

    Raises:
        ValueError: The folder of the file does not exist.
    """

    def __init__(self, file: str | Path, header: TokenHeader):
        path = as_path(file, "a token file")
        if not path.parent.is_dir():
            raise ValueError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
        first = _record({}, header.values())  # before an older file is emptied
        self.header, self._prompt, self._recipe = header, "", _first_recipe(header)
        self._path = path
        with naming(path):
            self._file: IO[bytes] = path.open("wb")
        self._write(_MAGIC + first)

    def append(self, tokens: Tensor, prompt: str = "", actions: Tensor | None = None) -> None:
        """Adds latent frames that were made as those before them, or as the header says.

        Args:
            tokens: int `[T, H, W]`.
            prompt: The prompt that holds for them.
            actions: float32 `[T, stride, A]`, what was done, if the header has an action space; `None` is unknown.

        Raises:
            ValueError: The actions are none of the header's space, or there are actions and no space.
        """
        self._put(tokens, prompt, actions, self._recipe)

    def append_all(self, tokens: Tensor, prompts: Sequence[tuple[int, str]]) -> None:
        """Adds latent frames, int `[T, H, W]`, and the prompts that held for them, with the latent frames from which they did."""
        self.append_past(Past(tokens, tuple(prompts)))

    def append_past(self, past: Past) -> None:
        """Adds all that a stream has made."""
        for piece, prompt, recipe in past.pieces():
            actions = None if past.actions is None else past.actions[piece]
            self._put(past.tokens[piece], prompt, actions, recipe if past.recipes else self._recipe)

    def close(self) -> None:
        """Flushes the file to the disk."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, tokens: Tensor, prompt: str, actions: Tensor | None, recipe: Recipe | None) -> None:
        """Writes a record, which says of prompt and recipe what is another than before."""
        changed: dict[str, Any] = {"prompt": prompt} if prompt != self._prompt else {}
        if recipe is not None and recipe != self._recipe:
            changed["recipe"] = recipe.values()
        self._prompt, self._recipe = prompt, recipe
        small = torch.uint16 if self.header.codebook_size <= 2**16 else torch.int32
        tensors = {"tokens": tokens.cpu().to(small), **_checked_actions(actions, len(tokens), self.header)}
        self._write(_record(tensors, changed))

    def _write(self, data: bytes) -> None:
        with naming(self._path):
            self._file.write(data)
            self._file.flush()


def _first_recipe(header: TokenHeader) -> Recipe | None:
    """How the latent frames of a file are made, if no record says another thing."""
    return None if header.seed is None or header.params is None else Recipe(header.seed, header.params)


def _checked_actions(actions: Tensor | None, length: int, header: TokenHeader) -> dict[str, Tensor]:
    """The actions of a record by name: none without an action space."""
    space = header.action_space
    if space is None:
        if actions is not None:
            raise ActionError("got actions for a token file without an action space; wanted none, or a header that has one")
        return {}
    wanted = (length, header.temporal_stride, space.size)
    if actions is None:
        return {"actions": torch.full(wanted, torch.nan)}
    if tuple(actions.shape) != wanted:
        raise ActionError(f"got actions of shape {list(actions.shape)} for a token file; wanted {list(wanted)}")
    return {"actions": torch.from_numpy(space.check(actions.cpu().numpy()))}


def _record(tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> bytes:
    data = pack(tensors, values)
    return len(data).to_bytes(_LENGTH_BYTES, "little") + data


def read_tokens(file: str | Path) -> TokenVideo:
    """Reads a token file, as far as it is written.

    Raises:
        TokenFileError: It is missing, no token file, or damaged elsewhere than at its end.
    """
    path = as_path(file, "a token file")
    try:
        size = regular_size(path)
        with path.open("rb") as stream:
            if stream.read(len(_MAGIC)) != _MAGIC:
                raise TokenFileError(f"{path} is no token file; wanted one that `framecast encode` or `framecast stream` wrote")
            records, end = _records(stream, path)
    except OSError as error:
        raise TokenFileError(f"cannot read {path} ({error.strerror}); check the path") from error
    except TokenFileError:
        raise
    except ValueError as error:
        raise TokenFileError(f"cannot read {error}") from error
    if not records:
        raise TokenFileError(f"{path} ends before it says what it holds; it was cut off at its start: write it again")
    try:
        return _assemble(records, end, whole=end >= size)
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        raise TokenFileError(f"{path} holds no tokens ({type(error).__name__}: {error}); write it again") from error


def _records(stream: IO[bytes], path: Path) -> tuple[list[tuple[dict[str, Tensor], dict[str, Any]]], int]:
    """All whole records, and where the last one ends; one at a time, so that a file of holes is noticed at its first."""
    records, place = [], len(_MAGIC)
    while len(head := stream.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
        length = int.from_bytes(head, "little")
        if length > _LARGEST_RECORD:
            raise TokenFileError(f"{path} is damaged at byte {place}: a record of {length} bytes; copy it again")
        data = stream.read(length)
        if len(data) < length:
            break
        try:
            records.append(unpack(data))
        except PackingError as error:
            raise TokenFileError(f"{path} is damaged at byte {place}: {error}; copy it again") from error
        place += _LENGTH_BYTES + length
    return records, place


def _assemble(records: list[tuple[dict[str, Tensor], dict[str, Any]]], num_bytes: int, whole: bool) -> TokenVideo:
    header = TokenHeader.of_values(records[0][1])
    grids: list[Tensor] = []
    actions: list[Tensor] = []
    length = 0
    prompts: list[tuple[int, str]] = []
    first = _first_recipe(header)
    recipes = [] if first is None else [(0, first)]
    for tensors, values in records[1:]:
        if "prompt" in values:
            prompts.append((length, str(values["prompt"])))
        if "recipe" in values:
            recipes = [change for change in recipes if change[0] < length] + [(length, Recipe.of_values(values["recipe"]))]
        grids.append(_grid(tensors["tokens"], header))
        actions += _checked_actions(tensors.get("actions"), len(grids[-1]), header).values()
        length += len(grids[-1])
    tokens = torch.cat(grids) if grids else torch.empty(0, 1, 1, dtype=torch.int64)
    done = torch.cat(actions) if actions else None
    return TokenVideo(header, tokens, tuple(prompts), num_bytes, whole, tuple(recipes), done)


def _grid(tokens: Tensor, header: TokenHeader) -> Tensor:
    tokens = tokens.long()
    if tokens.ndim != 3 or tokens.numel() == 0 or tokens.min() < 0 or tokens.max() >= header.codebook_size:
        raise ValueError(f"tokens of shape {list(tokens.shape)} that are not below {header.codebook_size}")
    return tokens
