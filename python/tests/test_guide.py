"""The Python of the guide, run in the order of the page."""

import random
import re
import subprocess
from pathlib import Path

import pytest

from allometry import program

PAGE = Path(__file__).parent.parent.parent / "docs" / "guide" / "python.md"


def test_the_guide_runs(tmp_path, monkeypatch, capfd):
    for module in ("numpy", "pandas", "polars"):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    draw = random.Random(7)
    rows = [(draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(600)]
    lines = [f"20{20 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02},{a:.4f},{b:.4f},{int(a > 0.3)}" for n, (a, b) in enumerate(rows)]
    Path("prices.csv").write_text("date,up,noise,label\n" + "\n".join(lines) + "\n")
    for arguments in (
        ["init", "prices.csv", "--trials", "2"],
        ["train", "--budget", "8k", "--quiet", "-S", "model.epochs=1", "-o", "model.safetensors"],
    ):
        subprocess.run([program.find(), *arguments], check=True, capture_output=True)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    shown = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), shown)
    assert shown["model"].features == ["up", "noise"]
    assert len(shown["predictions"]["score"]) == 600 - 15
    assert len(shown["frame"]) == 6 and (shown["frame"]["study"].str.ends_with("/8k")).all()
    assert list(shown["study"].trials()["state"]) == ["complete"] * 6
    assert "# " in capfd.readouterr().out
