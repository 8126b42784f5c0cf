"""`python -m benchmarks.windows`: what a latent frame costs by the length of the window and the number of key heads."""

import argparse
import statistics
from pathlib import Path

import torch
from rich.table import Table

from framecast.model import VideoLM, VideoLMConfig
from framecast.progress import tracked
from framecast.sample.kernels import prepared

from .decoding import encoded_prompts
from .report import machine, wide_console, write_json
from .timing import Work, seconds_of

SIDE = 8
FRAME = SIDE * SIDE
WINDOWS = (4, 8, 16, 32, 64)
HEADS = (1, 2, 4)


def main() -> None:
    """Random weights of the default shape, batch 2 as with guidance; a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each window takes (default: 5)")
    parser.add_argument("--out", default="runs/windows.json", help="where the JSON goes")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    rows = []
    works = {(window, heads): latent_frame(window, heads, device) for window in WINDOWS for heads in HEADS}
    seconds: dict[tuple[int, int], list[float]] = {key: [] for key in works}
    for _ in tracked(range(arguments.rounds), "measuring", unit="rounds"):
        for key, (work, _) in works.items():
            seconds[key].append(seconds_of(work, device))
    for (window, heads), (_, num_bytes) in works.items():
        median = statistics.median(seconds[window, heads])
        rows.append({"context_frames": window, "num_kv_heads": heads, "seconds": median, "cache_bytes": num_bytes})
    write_json(Path(arguments.out), {"rows": rows})
    shown = Table(title=f"a latent frame of {FRAME} tokens by rows, in a full window, batch 2; {machine()['threads']} threads")
    for column in ("context_frames", "num_kv_heads", "ms", "cache, MiB a stream"):
        shown.add_column(column, justify="right")
    for row in rows:
        shown.add_row(
            str(row["context_frames"]),
            str(row["num_kv_heads"]),
            f"{1e3 * row['seconds']:.1f}",
            f"{row['cache_bytes'] / 2**20:.1f}",
        )
    wide_console().print(shown)


@torch.inference_mode()
def latent_frame(window: int, heads: int, device: torch.device) -> tuple[Work, int]:
    """Row after row of a latent frame when the window is full, again and again, and bytes of the cache of one stream."""
    config = VideoLMConfig(
        num_kv_heads=heads,
        context_frames=window,
        codebook_size=1000,
        frame_shape=(SIDE, SIDE),
        text_vocab_size=512,
        factorise_above=256,
    )
    torch.manual_seed(0)
    lm = VideoLM(config).eval().to(device)
    lm = prepared(lm)
    prompts, state = encoded_prompts(lm, 2, config.text_vocab_size), lm.init_state(2)
    tokens = torch.randint(config.codebook_size, (2, FRAME), device=device)
    for _ in range(window + 2):
        lm(tokens, prompts, SIDE if state.frames.any() else 1, state)
    kept = sum(memory.nbytes for layer in state.layers for memory in (layer.keys, layer.values, layer.sink_keys))

    @torch.inference_mode()
    def work() -> None:
        for start in range(0, FRAME, SIDE):
            lm(tokens[:, start : start + SIDE], prompts, SIDE, state, hold=True)
        lm.rewind(state, 0)

    work()
    return work, kept // 2


if __name__ == "__main__":
    main()
