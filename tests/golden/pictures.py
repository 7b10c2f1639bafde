"""What a page looks like, kept as the mean colour of each cell of 8 × 8 pixels, and how far two looks differ.

A cell evens out what differs between two machines, and still sees a mark that is gone, another colour, or a drawing at
another place. Sections are seen without their letters, whose drawing differs most and whose words are kept as text; the
first screens are seen with them, and may differ more. Pictures are read and written by Pillow, which matplotlib brings.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PICTURES = Path(__file__).parent / "pictures"
CELL_PX = 8
FONT = "Noto Sans CJK JP"
"""What the stored pictures are set in: the first of the style sheet's families that Debian has."""

Pixels = NDArray[np.float64]
Cells = NDArray[np.float64]
"""Shape (rows, columns, 3), as that of pixels: red, green and blue, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a picture may be off.

    Attributes
    ----------
    noticeable : float
        A cell differs when its red, green or blue is off by more than this, of 255.
    most_cells : float
        Share of the cells that may differ.
    most_off : float
        How far a single cell may be off.
    """

    noticeable: float
    most_cells: float
    most_off: float


WITH_LETTERS = Limits(24, 0.02, 64)
WITHOUT_LETTERS = Limits(8, 0.005, 16)


@dataclass(frozen=True, slots=True)
class Look:
    """One way to open a page, and what of it is kept: every section, or what the first screen shows."""

    person: str
    name: str
    width: int
    parts: tuple[str, ...]
    scheme: str = "light"
    media: str = "screen"
    script: bool = True
    letters: bool = False

    @property
    def limits(self) -> Limits:
        """How far it may be off."""
        return WITH_LETTERS if self.letters else WITHOUT_LETTERS


SECTIONS = ("doctor", "warm", "behind", "neck", "not_behind", "open", "treatment", "how")
FIRST_SCREEN = ""
HIDE_LETTERS = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*{-webkit-text-fill-color:transparent!important} svg text{visibility:hidden}");
    document.adoptedStyleSheets = [sheet];
}"""
A4_PX = 703
"""What A4 leaves between the margins of the page, at 96 pixels an inch."""

LOOKS = (
    Look("rich", "phone", 360, SECTIONS),
    Look("rich", "dark", 360, ("doctor", "warm", "behind", "open"), scheme="dark"),
    Look("rich", "desktop", 1200, SECTIONS),
    Look("rich", "print", A4_PX, ("doctor", "warm", "treatment", "how"), media="print"),
    Look("rich", "still", 360, ("figure-one",), script=False, letters=True),
    *(
        Look(person, "first", 360, (FIRST_SCREEN,), letters=True)
        for person in ("emergency", "fever", "null", "four_episodes")
    ),
)


def missing() -> str:
    """Say what is not installed and is needed to see a page as it was stored; "" where nothing is."""
    if shutil.which("chromium") is None:
        return "chromium is not installed"
    found = subprocess.run(["fc-match", "--format=%{family}", FONT], capture_output=True, text=True, check=False)
    return "" if found.stdout.startswith(FONT) else f"the font {FONT} is not installed (apt-get install fonts-noto-cjk)"


def launch(driver: Any) -> Any:
    """Start Chromium without a window."""
    return driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])


def part_name(look: Look, part: str) -> str:
    """Name the stored picture of a part."""
    return "-".join(filter(None, (look.person, look.name, part)))


@contextmanager
def opened(browser: Any, look: Look, file: Path) -> Iterator[Any]:
    """Open a page as a look asks for, with the chart of one episode drawn where there is a script."""
    page = browser.new_page(
        viewport={"width": look.width, "height": 800}, color_scheme=look.scheme, java_script_enabled=look.script
    )
    page.emulate_media(media=look.media, color_scheme=look.scheme)
    page.goto(file.as_uri())
    if not look.letters:
        page.evaluate(HIDE_LETTERS)
        if look.media == "screen":
            page.locator("#figure-one").scroll_into_view_if_needed()
            page.locator(".plot canvas").wait_for()
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    try:
        yield page
    finally:
        page.close()


def photograph(page: Any, part: str) -> Pixels:
    """Return one element of an opened page, or the first screen."""
    picture = page.locator(f"#{part}").screenshot() if part else page.screenshot()
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB"), dtype=float)


def cells(pixels: Pixels) -> Cells:
    """Return the mean of every whole cell of 8 × 8 pixels."""
    rows, columns = (size // CELL_PX for size in pixels.shape[:2])
    whole = pixels[: rows * CELL_PX, : columns * CELL_PX]
    return whole.reshape(rows, CELL_PX, columns, CELL_PX, 3).mean(axis=(1, 3))


def keep(name: str, seen: Pixels) -> None:
    """Store a picture, a pixel a cell."""
    _image(cells(seen)).save(PICTURES / f"{name}.png", optimize=True)


def kept(name: str) -> Cells:
    """Read a stored picture."""
    with Image.open(PICTURES / f"{name}.png") as image:
        return np.asarray(image.convert("RGB"), dtype=float)


def difference(stored: Cells, seen: Pixels, limits: Limits) -> str:
    """Say in what a page differs from its stored picture more than it may; "" where it does not."""
    sizes = (*stored.shape[:2], *cells(seen).shape[:2])
    if abs(sizes[0] - sizes[2]) > 1 or sizes[1] != sizes[3]:  # half a pixel in height may be a row of cells
        return "{1} × {0} cells were stored, {3} × {2} are seen".format(*sizes)
    off = how_far_off(stored, seen)
    share, most = float((off > limits.noticeable).mean()), float(off.max())
    said = []
    if share > limits.most_cells:
        said.append(f"{share:.2%} of the cells differ, at most {limits.most_cells:.1%} may")
    if most > limits.most_off:
        row, column = (int(at) * CELL_PX for at in np.unravel_index(off.argmax(), off.shape))
        said.append(f"the cell at x {column}, y {row} is off by {most:.0f} of 255, at most {limits.most_off} may be")
    return "; ".join(said)


def how_far_off(stored: Cells, seen: Pixels) -> NDArray[np.float64]:
    """Return the largest difference of red, green and blue of each cell; a pixel further up or down is none."""
    moved = [np.roll(seen, by, axis=0) for by in (-1, 0, 1)]
    return np.min([_off(stored, cells(one)) for one in moved], axis=0)


def draw_difference(stored: Cells, seen: Pixels, file: Path) -> None:
    """Draw side by side what was stored, what is seen, and where they differ (black: nowhere)."""
    now = cells(seen)
    off = np.repeat(np.clip(4 * how_far_off(stored, seen), 0, 255)[..., None], 3, axis=2)
    parts = (stored, now, off)
    sheet = np.zeros((max(map(len, parts)), sum(one.shape[1] for one in parts), 3))
    left = 0
    for one in parts:
        sheet[: len(one), left : left + one.shape[1]] = one
        left += one.shape[1]
    image = _image(sheet)
    image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST).save(file)


def _off(one: Cells, other: Cells) -> NDArray[np.float64]:
    """Return the same of two pictures, for the cells that both have."""
    shared = tuple(slice(min(a, b)) for a, b in zip(one.shape[:2], other.shape[:2], strict=True))
    return np.abs(one[shared] - other[shared]).max(axis=2)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.round(pixels).astype(np.uint8))
