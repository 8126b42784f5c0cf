"""A Space of the Hugging Face Hub that shows a model of Framecast to everybody."""

import os

import framecast
from framecast.serve import ServeConfig, run_server

config = ServeConfig(
    host="0.0.0.0",
    port=int(os.environ.get("PORT", "7860")),
    public=True,  # whoever finds the Space may play
    hosts=(os.environ.get("SPACE_HOST", "localhost"),),
    framed_by=("https://huggingface.co",),
    slots=2,
    queue=6,
)
run_server(framecast.from_pretrained(os.environ.get("MODEL", "default")), config)
