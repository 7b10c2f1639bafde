"""Write the example person anew: python examples/make_person.py"""

import shutil
from pathlib import Path

from unaji.people.write import write_example

SEED = 1
FOLDER = Path(__file__).resolve().parent / "person"

if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    write_example(FOLDER, SEED)
