"""Shipped configurations go by their names."""

import pytest

from framecast.train.cli import main


@pytest.mark.parametrize("name", ["tiny_tokenizer", "train/configs/tiny_tokenizer.yaml"])
def test_shipped_configurations_go_by_name_from_anywhere(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    for words in (["--config", name], [f"--config={name}"]):
        with pytest.raises(SystemExit) as printed:
            main(["fit", *words, "--print_config"])
        assert printed.value.code in (0, None)
        assert "class_path: framecast.train.LitVideoTokenizer" in capsys.readouterr().out
