"""`framecast export`: a bundle out of a checkpoint."""

from argparse import ArgumentParser, Namespace

HELP = "make a bundle of a training's checkpoint"


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("checkpoint", help="a checkpoint of a training, such as runs/train/checkpoints/last.ckpt")
    parser.add_argument("--out", required=True, help="the bundle's folder")


def run(arguments: Namespace) -> None:
    from ..console import say
    from ..train.checkpoint_bundle import export_checkpoint

    say(f"saved the bundle {export_checkpoint(arguments.checkpoint, arguments.out)}")
