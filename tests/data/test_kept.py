import torch

from framecast.data.kept import KeptClips


def test_clips_are_kept_while_there_is_room_and_forgotten_from_an_index_on():
    clips, kept = [torch.full((4,), index, dtype=torch.uint8) for index in range(3)], KeptClips(9)
    for index, clip in enumerate(clips):
        kept.keep(index, clip)
    assert len(kept) == 2 and kept.get(1) is clips[1] and kept.get(2) is None
    kept.forget(1)
    assert len(kept) == 1 and kept.get(0) is clips[0] and kept.get(1) is None
    kept.keep(2, clips[2])
    assert kept.get(2) is clips[2]
