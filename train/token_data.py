"""`TokenDataModule`: token shards with their prompts as the training and validation data of a video LM."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from ..data import ClipSource
from ..data.files import replacing
from ..data.reading import read_regular
from ..data.shards import TokenClip, TokenShards
from ..model import VideoLMConfig, VideoLMShape
from ..sample import Bundle, Start, load_bundle
from ..sample.prompts import NO_CAPTION
from ..tokenizer import TextTokenizer
from ..tokenizer.words import words_of
from .clip_data import Batch, ResumableDataModule, amount_of, split_source, stack_known
from .continuing import HeldOut
from .tokenize import drop_stale_tokens, write_tokens

_LARGEST_TEXT_MODEL = 2**26
_STARTS, _LONGEST_START = 4, 3  # starts of a world, and the latent frames of each


class TokenDataModule(ResumableDataModule):
    """Clips of a source as tokens, for the training of a video LM.

    The clips are tokenized once, into shards that later runs use again. The text tokenizer is that of the bundle. If the
    bundle has none, one is trained on the captions and lies beside the shards. A clip of which nothing is said trains the null
    prompt.

    Args:
        source: Where the training clips come from.
        tokenizer: Folder of the bundle whose tokenizer is used, such as `runs/sprites_tokenizer/bundle`.
        shards: Folder of the tokens; made if missing.
        val_source: Where the validation clips come from; None keeps `val_clips` of `source` for them.
        num_clips: How many training clips are tokenized, at most; None takes all.
        val_clips: How many clips are validated, at most.
        stills: Single frames to train on beside the clips, of the same size and not among those validated; None leaves them out.
            They teach what a prompt looks like at a fraction of the cost of a clip.
        stills_per_clip: How many of them come with every clip, at least 1; each clip has its own, as far as there are enough.
        batch_size: Clips per step and process.
        num_workers: Processes that prepare clips and batches beside the training; 0 prepares them in it.
        text_vocab_size: Pieces of the text tokenizer, at most, where one is trained.
        seed: Chooses the order of the clips.

    Raises:
        ValueError: If `source` is too small to spare `val_clips`, the two sources differ in their shape, or `stills` are no
            single frames of that size.
    """

    bundle: Bundle
    """The tokenizer's bundle."""
    text_tokenizer: TextTokenizer
    """Prompts to ids."""
    train_tokens: TokenShards
    """What is trained on."""
    val_tokens: TokenShards
    """What is validated on."""
    still_tokens: TokenShards | None
    """Single frames that are trained on beside the clips."""

    def __init__(
        self,
        source: ClipSource,
        tokenizer: str,
        shards: str,
        val_source: ClipSource | None = None,
        num_clips: int | None = None,
        val_clips: int = 64,
        stills: ClipSource | None = None,
        stills_per_clip: int = 4,
        batch_size: int = 16,
        num_workers: int = 0,
        text_vocab_size: int = 512,
        seed: int = 0,
    ):
        super().__init__(source, batch_size, num_workers, seed)
        train, val = split_source(source, val_source, val_clips)
        self._clips = {"train": _first(train, num_clips), "val": val}
        self._sources = {"train": source, "val": val_source or source}
        if stills is not None:
            _check_stills(stills, stills_per_clip, source)
            num_stills = stills_per_clip * len(self._clips["train"])  # type: ignore[arg-type]
            self._clips["stills"], self._sources["stills"] = _first(stills, num_stills), stills
        self._stills_per_clip = stills_per_clip
        self._tokenizer, self._shards, self._text_vocab_size = Path(tokenizer), Path(shards), text_vocab_size

    def prepare_data(self) -> None:
        """Tokenizes what is not tokenized yet, in the training's precision, and trains the text tokenizer on all captions."""
        super().prepare_data()
        assert self.trainer is not None
        bundle = load_bundle(self._tokenizer)
        shape = getattr(getattr(self.trainer, "lightning_module", None), "shape", None)
        if shape is not None:  # before minutes are spent on tokens that such a model cannot take
            check_length(shape, bundle.tokenizer.num_latent_frames(self.source.num_frames))
        bundle.tokenizer.to(self.trainer.strategy.root_device)
        for part, clips in self._clips.items():
            meta = {
                "tokenizer": bundle.hashes["tokenizer.safetensors"],
                "codebook_size": bundle.tokenizer.codebook_size,
                "source": self._sources[part].fingerprint(),
                "num_clips": len(clips),  # type: ignore[arg-type]
            }
            space = self._sources[part].action_space
            if space is not None:
                meta["actions"] = space.to_json()
            drop_stale_tokens(self._shards / part, meta)
            with self.trainer.precision_plugin.forward_context():
                write_tokens(self._shards / part, clips, bundle.tokenizer, meta, self.num_workers, space)
        if bundle.text_tokenizer is None and not self._text_file.is_file():
            texts = set(captions(TokenShards(self._shards / "train"))) - {""}
            model = TextTokenizer.train(texts or {NO_CAPTION}, self._text_vocab_size)
            with replacing(self._text_file) as temporary:
                temporary.write_bytes(model.model_bytes)

    @cached_property
    def fingerprint(self) -> str:
        """Tells these tokens from others: those of other clips, captions or settings, or of another tokenizer."""
        text = json.dumps([{part: TokenShards(self._shards / part).meta for part in self._clips}, self.seed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def _text_file(self) -> Path:
        return self._shards / "train" / f"text-{self._text_vocab_size}.model"

    def setup(self, stage: str) -> None:
        self.bundle = load_bundle(self._tokenizer)
        tokens = {part: TokenShards(self._shards / part) for part in self._clips}
        self.train_tokens, self.val_tokens, self.still_tokens = tokens["train"], tokens["val"], tokens.get("stills")
        texts = {part: set(captions(shards)) - {""} for part, shards in tokens.items()}
        seen = set().union(*(own for part, own in texts.items() if part != "val")) or {NO_CAPTION}
        self.text_tokenizer = (self.bundle.text_tokenizer or self._own_text_tokenizer()).learned(seen)
        space = self.action_space
        actions = None if space is None else (self.bundle.tokenizer.stride.frames, space.size)
        self._collate = PromptCollate.of(self.text_tokenizer, set().union(*texts.values()), actions)

    def _own_text_tokenizer(self) -> TextTokenizer:
        return TextTokenizer(read_regular(self._text_file, _LARGEST_TEXT_MODEL), ())

    @cached_property
    def _texts(self) -> list[list[str]]:
        """The captions of each clip that is trained on."""
        return [[caption.text for caption in self.train_tokens[index].captions] for index in range(len(self.train_tokens))]

    @property
    def caption(self) -> str:
        texts = set(chain.from_iterable(self._texts)) - {""}
        return texts.pop() if len(texts) == 1 else ""

    @cached_property
    def amounts(self) -> dict[str, Any]:
        """Clips, seconds of video, clips with a caption, and different words in the captions that are trained on."""
        texts = self._texts
        words = {word for text in set(chain.from_iterable(texts)) for word in words_of(text.lower()) if word.isalnum()}
        counts = {"captioned": sum(any(own) for own in texts), "words": len(words)}
        return {**amount_of(self.source, len(self.train_tokens)), **counts}

    def first_prompts(self, num_prompts: int) -> list[str]:
        """Different captions of the validation clips, in their order; none if there are no captions."""
        texts = [text for text in dict.fromkeys(captions(self.val_tokens)) if text]
        return texts[:num_prompts]

    @cached_property
    def starts(self) -> tuple[Start, ...]:
        """First frames of some validation clips, for a world to begin from; none if nothing is done in the clips."""
        if self.action_space is None:
            return ()
        clips = [self.val_tokens[place] for place in self._spaced(_STARTS)]
        return tuple(
            Start(f"start {number}", clip.tokens[:_LONGEST_START], clip.captions[0].text or None)
            for number, clip in enumerate(clips, 1)
        )

    def held_out(self, num_clips: int) -> list[HeldOut]:
        """Validation clips with their tokens, as far from each other as they are; none of clips of one latent frame."""
        if self.num_latent_frames < 2:
            return []
        return [HeldOut(self._clips["val"][place], self.val_tokens[place].tokens) for place in self._spaced(num_clips)]

    def _spaced(self, num_clips: int) -> list[int]:
        """Places of validation clips that are as far from each other as they can be."""
        total = len(self.val_tokens)
        return [number * total // min(num_clips, total) for number in range(min(num_clips, total))]

    @property
    def num_latent_frames(self) -> int:
        """Latent frames of a clip."""
        return self.train_tokens[0].tokens.shape[0]

    @property
    def pixels_per_token(self) -> float:
        """Pixels of a clip for each of its tokens."""
        pixels = self.source.num_frames * self.source.height * self.source.width
        return pixels / self.train_tokens[0].tokens.numel()

    def lm_config(self, shape: VideoLMShape) -> VideoLMConfig:
        """`shape` with the sizes that tokenizer, videos and captions dictate.

        Raises:
            ValueError: If clips or captions are longer than such a model takes.
        """
        check_length(shape, self.num_latent_frames)
        text, ids = self._collate.longest
        if len(ids) > shape.max_prompt_length:
            raise ValueError(
                f"got a caption of {len(ids)} text ids ({text[:60]!r}...); wanted at most {shape.max_prompt_length}; "
                "raise `model.init_args.lm.max_prompt_length` or shorten the captions"
            )
        tokenizer = self.bundle.tokenizer
        return VideoLMConfig(
            **asdict(shape),
            codebook_size=tokenizer.codebook_size,
            codebook_base=tokenizer.codebook_base,
            frame_shape=tokenizer.frame_shape(self.source.height, self.source.width),
            text_vocab_size=self.text_tokenizer.vocab_size,
            num_actions=0 if self.action_space is None else self.action_space.size,
            action_frames=1 if self.action_space is None else tokenizer.stride.frames,
        )

    def train_dataloader(self) -> DataLoader:
        if self.still_tokens is None:
            return self.train_loader(self.train_tokens, self._collate)
        clips = WithStills(self.train_tokens, self.still_tokens, self._stills_per_clip)
        return self.train_loader(clips, partial(collate_with_stills, self._collate))

    def val_dataloader(self) -> DataLoader:
        return self.val_loader(self.val_tokens, self._collate)


@dataclass(frozen=True)
class PromptCollate:
    """Makes batches of clips and their prompts.

    `tokens` int64 `[B, T, h, w]`; `ids` int64 `[B, P, L]`, padded; `starts` int64 `[B, P]`, the latent frame from which
    each prompt holds. Places without a prompt hold the null prompt from T on, that is never.

    If the data have an action space, there are `actions` float32 `[B, T, stride, A]`. If any clip of a batch has them, there are
    `rewards` and `ends`, float32 `[B, T]`; an end is 1. NaN is unknown in all three.
    """

    ids: dict[str, list[int]]
    """Ids of every text."""
    pad_id: int
    """What fills short prompts."""
    actions: tuple[int, int] | None = None
    """The stride, and the numbers A of an action; None if there is no action space."""

    @classmethod
    def of(cls, text_tokenizer: TextTokenizer, texts: set[str], actions: tuple[int, int] | None = None) -> "PromptCollate":
        """The one for the given texts and the null prompt, which is the text ""."""
        ids = {text: text_tokenizer.encode(text, max_length=len(text.encode()) + 2) for text in texts}
        return cls({**ids, "": [text_tokenizer.eos_id]}, text_tokenizer.pad_id, actions)

    @property
    def longest(self) -> tuple[str, list[int]]:
        """The text with the most ids, and its ids."""
        return max(self.ids.items(), key=lambda item: len(item[1]))

    def __call__(self, clips: list[TokenClip]) -> Batch:
        num_prompts = max(len(clip.captions) for clip in clips)
        ids = [[self.ids[text] for text in _fill([c.text for c in clip.captions], "", num_prompts)] for clip in clips]
        starts = [_fill([c.start for c in clip.captions], clip.tokens.shape[0], num_prompts) for clip in clips]
        return {
            "tokens": torch.stack([clip.tokens for clip in clips]),
            "ids": self._pad(ids),
            "starts": torch.tensor(starts),
            **self._steps(clips),
        }

    def _steps(self, clips: list[TokenClip]) -> Batch:
        steps = {"rewards": stack_known([clip.rewards for clip in clips]), "ends": stack_known([clip.ends for clip in clips])}
        known = {name: rows for name, rows in steps.items() if rows is not None}
        if self.actions is None:
            return known
        actions = stack_known([clip.actions for clip in clips])
        unknown = torch.full((len(clips), clips[0].tokens.shape[0], *self.actions), torch.nan)
        return {"actions": unknown if actions is None else actions, **known}

    def _pad(self, ids: list[list[list[int]]]) -> Tensor:
        length = max(len(prompt) for prompts in ids for prompt in prompts)
        return torch.tensor([[_fill(prompt, self.pad_id, length) for prompt in prompts] for prompts in ids])


class WithStills(Dataset[tuple[TokenClip, list[TokenClip]]]):
    """Clips, each with some single frames; clip i always has the same ones.

    Args:
        clips: The clips.
        stills: The single frames, which begin anew if there are too few.
        per_clip: How many a clip has.
    """

    def __init__(self, clips: TokenShards, stills: TokenShards, per_clip: int):
        self.clips, self.stills, self.per_clip = clips, stills, per_clip

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> tuple[TokenClip, list[TokenClip]]:
        own = range(index * self.per_clip, (index + 1) * self.per_clip)
        return self.clips[index], [self.stills[still % len(self.stills)] for still in own]


def collate_with_stills(collate: PromptCollate, items: list[tuple[TokenClip, list[TokenClip]]]) -> Batch:
    """A batch of clips, and under `stills` one of all their single frames."""
    clips, stills = zip(*items, strict=True)
    return {**collate(list(clips)), "stills": collate(list(chain.from_iterable(stills)))}


def captions(shards: TokenShards) -> Iterator[str]:
    """The texts of all clips."""
    for index in range(len(shards)):
        yield from (caption.text for caption in shards[index].captions)


def _fill(values: list[Any], filler: Any, length: int) -> list[Any]:
    return values + [filler] * (length - len(values))


def _check_stills(stills: ClipSource, per_clip: int, source: ClipSource) -> None:
    got, wanted = (stills.num_frames, stills.height, stills.width), (1, source.height, source.width)
    if got != wanted or per_clip < 1:
        raise ValueError(
            f"got {per_clip} stills per clip, with (num_frames, height, width) {got}; wanted at least 1, with {wanted}; set "
            "`num_frames: 1` in their source and the size of the clips"
        )


def _first(clips: Dataset, num_clips: int | None) -> Dataset:
    total = len(clips)  # type: ignore[arg-type]
    return Subset(clips, range(total if num_clips is None else min(num_clips, total)))


def check_length(shape: VideoLMShape, num_latent_frames: int) -> None:
    """Raises ValueError if clips are longer than a video LM of such a shape takes."""
    if num_latent_frames > shape.max_parallel_frames:
        raise ValueError(
            f"got clips of {num_latent_frames} latent frames; wanted at most {shape.max_parallel_frames}, the context of the "
            "video LM and one more; raise `model.init_args.lm.context_frames` or lower "
            "`data.init_args.source.init_args.num_frames`"
        )
