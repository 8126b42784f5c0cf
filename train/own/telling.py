"""What a run says: lines that fit a terminal, with counts and sizes as people say them."""

import textwrap

WIDTH = 79


def say(text: str = "", indent: int = 0, hang: int = 2) -> None:
    """A paragraph on standard output, folded to the width of a terminal; a word that is longer stays whole."""
    margin = " " * indent
    folded = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=margin,
        subsequent_indent=margin + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    print("\n".join(folded), flush=True)


def spoken_size(num_bytes: float) -> str:
    """Memory as people say it."""
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 1e9 else f"{max(num_bytes, 1e6) / 1e6:.0f} MB"
