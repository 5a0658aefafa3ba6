"""What the readers make of real files: reader, characters, time, memory, and the reason where there is no text.

    python benchmarks/documents.py [--folder FOLDER] [--ocr ENGINE] [--show NAME [--png DIR]]

Without a folder it takes the collection of real inputs (MONITOR_CORPUS, else ../shared/corpus). Each file is read in a fresh
child of the sandbox: `cpu s` is the child's processor time for the reading alone, `MiB` by how much its largest size grew. With
`--ocr` the words of pictures are recognised, too, one picture after the other: `ocr s` is how long that took.
`--show` prints the text of the files whose name holds NAME; with `--png`, pages of a PDF are written beside it as pictures, to be
compared by eye.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from monitor import documents, sandbox  # noqa: E402 - the checkout beside this file is what is measured
from monitor.model import FileText  # noqa: E402
from monitor.readers import files  # noqa: E402

CORPUS = Path(os.environ.get("MONITOR_CORPUS") or ROOT.parent / "shared" / "corpus") / "documents"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--folder", type=Path, default=CORPUS)
    parser.add_argument("--ocr", choices=tuple(documents.ENGINES))
    parser.add_argument("--show", default="")
    parser.add_argument("--png", type=Path)
    given = parser.parse_args()
    found = [path for path in sorted(given.folder.rglob("*")) if path.is_file() and path.name != "index.json"]
    if given.show:
        for path in found:
            if given.show in path.name:
                show(path, given.png, given.ocr)
        return
    print(f"{len(found)} files of {given.folder}\n")
    print(f"{'file':44} {'kB':>7} {'reader':>10} {'pages':>5} {'characters':>10} {'cpu s':>7} {'MiB':>5} {'ocr s':>6}  reason")
    total, largest, recognised, text, silent = 0.0, 0, 0.0, 0, 0
    for path in found:
        data = path.read_bytes()
        said, seconds, grown = measured(data, path.name)
        said, waited = with_words(data, path.name, said, given.ocr)
        total, largest, recognised = total + seconds, max(largest, grown), recognised + waited
        text, silent = text + bool(said.text), silent + (not said.text and not said.problem)
        name = path.name if len(path.name.encode("gb18030", "replace")) <= 44 else path.name[:22] + "…"
        pad = 44 - sum(1 for char in name if not char.isascii())
        pages = said.pages if said.pages is not None else ""
        spent = f"{waited:6.1f}" if waited else " " * 6
        print(
            f"{name:{pad}} {len(data) / 1000:7.1f} {(said.reader or 'none').partition('+')[0]:>10} {pages:>5}"
            f" {len(said.text):10,} {seconds:7.3f} {grown >> 20:5} {spent}  {said.problem or ''}",
            flush=True,
        )
    why = len(found) - text - silent
    print(f"\n{len(found)} files: {text} with text, {why} with a reason why there is none, {silent} with neither")
    print(f"{total:.2f} s of processor time in all, {largest >> 20} MiB at most; {recognised:.0f} s for words in pictures")


def with_words(data: bytes, name: str, said: FileText, wanted: str | None) -> tuple[FileText, float]:
    """The text with the words of its pictures, and how long they took."""
    engine = documents.engine(wanted) if wanted else None
    if engine is None or not said.scans:
        return said, 0.0
    started = time.monotonic()
    words = {scan.number: documents.recognise(data, name, scan, engine) for scan in said.scans}
    return documents.read(data, name, words, engine), time.monotonic() - started


def measured(data: bytes, name: str) -> tuple[FileText, float, int]:
    """The text, the processor time of its reading and the growth of the process that read it."""
    sandbox.close()
    sandbox.run(_warm, seconds=60, patient=True)
    said, seconds, grown = sandbox.run(_read, data, name, seconds=documents.SECONDS, memory=documents.MEMORY, patient=True)
    return documents.read(data, name) if not said.text else said, seconds, grown


def _warm() -> None:
    """Load what readers load, so that a small file is not charged for it."""
    import olefile  # noqa: F401
    import PIL.Image  # noqa: F401
    import pypdf  # noqa: F401
    import pypdfium2  # noqa: F401
    import python_calamine  # noqa: F401


def _read(data: bytes, name: str) -> tuple[FileText, float, int]:
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    said = files.read(data, name)
    seconds = time.process_time() - started
    return (
        said,
        seconds,
        (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024),
    )


def show(path: Path, png: Path | None, wanted: str | None) -> None:
    said, _ = with_words(path.read_bytes(), path.name, documents.read(path.read_bytes(), path.name), wanted)
    print(f"===== {path.name}: {said.reader}, {said.pages} pages, {said.problem}\n{said.text}\n")
    if png is None or said.kind != "pdf":
        return
    import pypdfium2

    png.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pypdfium2.PdfDocument(path.read_bytes()), 1):
        page.render(scale=1.3).to_pil().save(png / f"{path.stem}-{number}.png")


if __name__ == "__main__":
    from benchmarks.documents import main as by_name  # the child must find what it runs by the name of its module

    by_name()
