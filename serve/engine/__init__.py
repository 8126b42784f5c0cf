"""One thread that owns the model and makes the frames of many streams in turns. It knows nothing of the web."""
