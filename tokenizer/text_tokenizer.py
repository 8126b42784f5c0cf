"""`TextTokenizer`: prompts to ids and back, by sentencepiece; trained from captions in code, kept as bytes in the bundle."""

import io
import unicodedata
from collections.abc import Callable, Iterable
from functools import cached_property

import sentencepiece
import torch
from torch import Tensor

from .words import words_of

_FEWEST_PIECES = 290  # 256 bytes for the fallback, the control pieces and some letters
_AROUND = " \t\r\n.!?…。！？\"'“”‘’«»"  # what people type around a prompt
_CRUMBS = 0.75  # pieces for each letter, from which on a word has fallen apart


class TextTokenizer:
    """Subword ids of a text. Every sequence ends with `eos_id`; the null prompt of guidance is that one id alone.

    Texts are folded to what the model was trained on. If it knows lower case alone, case does not matter. If it knows no
    full stop and no quotes around a text, these do not matter either.

    Args:
        model_bytes: A serialized sentencepiece model.
        words: The words of the captions that the video LM was trained on, as `words_of` finds them; `None` if nobody knows.

    Raises:
        ValueError: The bytes are not a sentencepiece model.
    """

    def __init__(self, model_bytes: bytes, words: Iterable[str] | None = None):
        self.model_bytes = model_bytes
        self.words = None if words is None else frozenset(words)
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
        return cls(model.getvalue(), ()).learned(texts)

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

    @cached_property
    def _letters(self) -> frozenset[str]:
        """All characters of the pieces."""
        model = self._model
        plain = [i for i in range(self.vocab_size) if not (model.is_byte(i) or model.is_control(i) or model.is_unknown(i))]
        return frozenset("".join(model.id_to_piece(i) for i in plain))

    @cached_property
    def _fold_case(self) -> Callable[[str], str]:
        """Turns texts to lower or to upper case, if the model knows that case alone."""
        cased = [letter for letter in self._letters if letter.lower() != letter.upper()]
        fits = (fold for fold in (str.lower, str.upper) if all(letter == fold(letter) for letter in cased))
        return next(fits, str)

    def fold(self, text: str) -> str:
        """The text as the model's training would have had it; what the model can tell apart stays.

        Raises:
            ValueError: It holds bytes that are no UTF-8.
        """
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ValueError(f"got the text {text[:60]!a}, which holds bytes that are no text; wanted UTF-8; write it anew")
        text = text.strip("".join(sign for sign in _AROUND if sign not in self._letters)) or text
        plain = unicodedata.normalize("NFKC", text)
        folded = self._fold_case(plain)
        return text if folded == plain else folded

    def learned(self, captions: Iterable[str]) -> "TextTokenizer":
        """The same, for a video LM that was trained on these captions too; unknown words stay unknown."""
        if self.words is None:
            return self
        return TextTokenizer(self.model_bytes, self.words.union(*(self._words(text) for text in captions)))

    def unseen(self, text: str) -> list[str]:
        """The words of a text that the training had in no caption. If nobody knows its words, those that fall apart."""
        return [word for word in self._words(text) if (self._falls_apart(word) if self.words is None else word not in self.words)]

    def _words(self, text: str) -> list[str]:
        return words_of(unicodedata.normalize("NFKC", self.fold(text)))

    def _falls_apart(self, word: str) -> bool:
        """Whether a word is made of bytes, or of about as many pieces as letters."""
        pieces = [i for i in self._model.encode(word) if self._model.id_to_piece(i) != "\u2581"]
        return any(map(self._model.is_byte, pieces)) or (len(word) > 1 and len(pieces) >= _CRUMBS * len(word))

    def encode(self, text: str, max_length: int) -> list[int]:
        """Ids of a prompt, at most `max_length` with the end.

        Raises:
            ValueError: The prompt is empty, too long, or holds bytes that are no UTF-8.
        """
        folded = self.fold(text)
        if not folded.strip():
            raise ValueError(
                'got an empty prompt; wanted some words that say what the video shows, such as "a red circle moves right"'
            )
        ids = [*self._model.encode(folded), self.eos_id]
        if len(ids) > max_length:
            raise ValueError(
                f"got a prompt of {len(ids)} text tokens ({text[:60]!r}...); wanted at most {max_length}, the length this "
                "model was trained for; shorten it, or change it while the stream runs"
            )
        return ids

    def decode(self, ids: list[int]) -> str:
        """The text of ids."""
        text: str = self._model.decode([i for i in ids if i not in (self.pad_id, self.eos_id)])
        return text

    def batch(self, texts: list[str], max_length: int) -> Tensor:
        """int64 `[N, L]`, padded with `pad_id`; an empty text stands for the null prompt."""
        rows = [self.encode(text, max_length) if text else [self.eos_id] for text in texts]
        longest = max(len(row) for row in rows)
        return torch.tensor([row + [self.pad_id] * (longest - len(row)) for row in rows])
