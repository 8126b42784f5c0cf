"""A model of Hugging Face's `transformers` that lies in a folder; the only file that knows that library."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .picture_model import PictureModel

_NEW_TOKENS = 24
_PROMPT = "Describe this picture in one short sentence."


class LocalModel(PictureModel):
    """An image-to-text model in a folder, such as BLIP or LLaVA. Nothing is downloaded, and no code of the folder is run.

    Args:
        folder: With `config.json`, weights as safetensors, and what the processor needs.

    Raises:
        ValueError: The folder holds no such model, or transformers is not installed.
    """

    def __init__(self, folder: Path):
        if not (folder / "config.json").is_file():
            raise ValueError(
                f"got {folder} without a config.json; wanted the folder of a model of transformers; download it first"
            )
        library = _transformers()
        only = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._processor: Any = library.AutoProcessor.from_pretrained(folder, **only)
            self._model: Any = library.AutoModelForImageTextToText.from_pretrained(folder, use_safetensors=True, **only).eval()
        except (OSError, ValueError, KeyError, ImportError, AttributeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ValueError(
                f"{folder} cannot be used ({reason}); wanted an image-to-text model with safetensors and without code of its own"
            ) from error

    def describe(self, pictures: Sequence[np.ndarray]) -> list[str]:
        """A text for each picture uint8 `[H, W, 3]`; always the same one for the same picture."""
        import torch

        with torch.inference_mode():
            inputs = self._inputs(pictures)
            tokens = self._model.generate(**inputs, max_new_tokens=_NEW_TOKENS, do_sample=False)
        given = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
        return [text.strip() for text in self._processor.batch_decode(tokens[:, given:], skip_special_tokens=True)]

    def _inputs(self, pictures: Sequence[np.ndarray]) -> Any:
        if getattr(self._processor, "chat_template", None) is None:
            return self._processor(images=list(pictures), return_tensors="pt")
        asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": _PROMPT}]}]
        text = self._processor.apply_chat_template(asked, add_generation_prompt=True)
        return self._processor(images=list(pictures), text=[text] * len(pictures), return_tensors="pt", padding=True)


def _transformers() -> Any:
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    try:
        import transformers
    except ImportError as error:
        raise ValueError("transformers is not installed; wanted it for --captioner; pip install '.[caption]'") from error
    transformers.utils.logging.set_verbosity_error()
    return transformers
