"""Write the stored pages anew after an intended change, and read the diff: python tests/golden/write.py"""

from __future__ import annotations

import io
import runpy
from pathlib import Path

from rich.console import Console

from unaji.report.json import dumps
from unaji.report.terminal import print_summary

HERE = Path(__file__).parent

if __name__ == "__main__":
    findings = runpy.run_path(str(HERE.parent / "report" / "synthetic.py"))["rich"]()
    for language in ("ja", "en"):
        out = io.StringIO()
        print_summary(findings, Console(file=out, width=80, color_system=None), language)
        (HERE / f"rich.{language}.txt").write_text(out.getvalue(), encoding="utf-8")
    (HERE / "rich.json").write_text(dumps(findings) + "\n", encoding="utf-8")
