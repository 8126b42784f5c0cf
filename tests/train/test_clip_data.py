"""Clips as the data of a training."""

from framecast.data import RandomCrops, SpriteWorld
from framecast.train import ClipDataModule


def test_a_training_says_where_its_clips_come_from(capsys):
    crops = RandomCrops(SpriteWorld(num_clips=40, num_frames=5), size=48, copies=3)
    ClipDataModule(crops).prepare_data()
    assert (
        capsys.readouterr().out == "source: 3 crops of 48x48 from each of 40 clips of 5 frames at 12 fps, 64x64 (SpriteWorld)\n"
    )
