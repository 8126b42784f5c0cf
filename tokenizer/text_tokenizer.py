"""`TextTokenizer`: prompts to ids and back, by sentencepiece; trained from captions in code, kept as bytes in the bundle."""

import io
from collections.abc import Iterable

import sentencepiece
import torch
from torch import Tensor

_FEWEST_PIECES = 290  # 256 bytes for the fallback, the control pieces and some letters


class TextTokenizer:
    """Subword ids of a text. Every sequence ends with `eos_id`; the null prompt of guidance is that one id alone.

    Args:
        model_bytes: A serialized sentencepiece model.

    Raises:
        ValueError: The bytes are not a sentencepiece model.
    """

    def __init__(self, model_bytes: bytes):
        self.model_bytes = model_bytes
        try:
            self._model = sentencepiece.SentencePieceProcessor()
            self._model.LoadFromSerializedProto(model_bytes)  # the constructor takes no bytes at all for no model
        except RuntimeError as error:
            raise ValueError(
                f"got {len(model_bytes)} bytes that are no sentencepiece model ({error}); the text model is damaged: "
                "copy it again or export the bundle anew"
            ) from error

    @classmethod
    def train(cls, captions: Iterable[str], vocab_size: int = 512) -> "TextTokenizer":
        """Trains byte-pair encoding with byte fallback, so that any text has ids (Sennrich et al. 2016).

        Args:
            captions: Texts, at least one that is not empty.
            vocab_size: Pieces at most; small sets of captions get fewer.

        Raises:
            ValueError: There is no caption, or `vocab_size` has no room for the bytes.
        """
        texts = sorted({text for text in captions if text.strip()})
        if not texts:
            raise ValueError("got no captions; wanted at least one that is not empty; train on clips with captions")
        if vocab_size < _FEWEST_PIECES:
            raise ValueError(f"got vocab_size {vocab_size}; wanted at least {_FEWEST_PIECES}: all bytes have a piece")
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            vocab_size=vocab_size,
            model_type="bpe",  # on small sets of captions a unigram model ends with pieces of words, twice as many
            hard_vocab_limit=False,
            byte_fallback=True,
            character_coverage=1.0,
            pad_id=0,
            unk_id=1,
            bos_id=-1,
            eos_id=2,
            num_threads=1,
            minloglevel=2,
        )
        return cls(model.getvalue())

    @property
    def vocab_size(self) -> int:
        """Number of ids."""
        return self._model.get_piece_size()

    @property
    def pad_id(self) -> int:
        """The id that fills short rows of a batch."""
        return self._model.pad_id()

    @property
    def eos_id(self) -> int:
        """The id that ends every sequence."""
        return self._model.eos_id()

    def encode(self, text: str, max_length: int) -> list[int]:
        """Ids of a prompt, at most `max_length` with the end.

        Raises:
            ValueError: The prompt is empty or too long.
        """
        if not text.strip():
            raise ValueError(
                'got an empty prompt; wanted some words that say what the video shows, such as "a red circle moves right"'
            )
        ids = [*self._model.encode(text), self.eos_id]
        if len(ids) > max_length:
            raise ValueError(
                f"got a prompt of {len(ids)} text tokens ({text[:60]!r}...); wanted at most {max_length}, the length this "
                "model was trained for; shorten it, or change it while the stream runs"
            )
        return ids

    def decode(self, ids: list[int]) -> str:
        """The text of ids."""
        return self._model.decode([i for i in ids if i not in (self.pad_id, self.eos_id)])

    def batch(self, texts: list[str], max_length: int) -> Tensor:
        """int64 `[N, L]`, padded with `pad_id`; an empty text stands for the null prompt."""
        rows = [self.encode(text, max_length) if text else [self.eos_id] for text in texts]
        longest = max(len(row) for row in rows)
        return torch.tensor([row + [self.pad_id] * (longest - len(row)) for row in rows])
