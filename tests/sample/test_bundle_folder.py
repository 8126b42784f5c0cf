"""The folder of a bundle: what may be replaced."""

import pytest
import tiny

from framecast.sample import save_bundle
from framecast.tokenizer import FSQ


def test_what_a_file_manager_leaves_in_a_bundle_is_no_hindrance(tmp_path):
    for _ in range(2):
        save_bundle(tmp_path / "bundle", tiny.tokenizer(FSQ((5, 5, 5))), video={"height": 32, "width": 32, "fps": 12.0})
        (tmp_path / "bundle" / ".DS_Store").write_bytes(b"Bud1")
    (tmp_path / "bundle" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="something that is no bundle is there"):
        save_bundle(tmp_path / "bundle", tiny.tokenizer(FSQ((5, 5, 5))), video={"height": 32, "width": 32, "fps": 12.0})
