"""The bytes of a file become its text: the order of reader, program and OCR, each of them in the sandbox.

It keeps nothing: what OCR has recognised is handed back to who asked, and handed in again. What it gives for hostile, broken or
unknown bytes is a FileText whose `problem` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec

from monitor import programs, sandbox
from monitor.errors import ParseError
from monitor.model import FileText, Scan
from monitor.readers import files
from monitor.readers.files import nouns, ocr

#: What the reading of one file may take: seconds of a child, and bytes.
SECONDS, MEMORY = 30.0, 768 << 20
#: The same for the words of one picture.
OCR_SECONDS, OCR_MEMORY = 90.0, 4 << 30
ENGINES = {"rapidocr": ocr.RAPIDOCR, "tesseract": ocr.TESSERACT}
#: In the reader's name of what has none: that there is none, and that programs made nothing of it.
_UNREAD, _TRIED = 1, 2
NO_OCR = "install notice-monitor[ocr], or tesseract with its chi_sim"


@dataclass(frozen=True, slots=True)
class _Program:
    """How a program is asked for a text: what it makes of the file is text, or a file that a reader of ours takes."""

    name: str
    arguments: tuple[str, ...]
    made: str | None = None
    suffix: str = ".doc"
    seconds: float = 20.0
    memory: int = 512 << 20


def _office(form: str, suffix: str) -> _Program:
    profile = "-env:UserInstallation=file://{folder}/profile"
    arguments = (profile, "--headless", "--norestore", "--convert-to", form, "--outdir", "{folder}/made", "{file}")
    return _Program("soffice", arguments, f"made/file.{form}", suffix, 90.0, 2 << 30)


#: For kinds that our readers do not read, or not every form of: the programs that may, best first.
_PROGRAMS: dict[str, tuple[_Program, ...]] = {
    "doc": (
        _office("docx", ".doc"),
        _Program("antiword", ("-m", "UTF-8.txt", "-w", "0", "{file}")),
        _Program("catdoc", ("-d", "utf-8", "-w", "{file}")),
    ),
    "rtf": (_office("docx", ".rtf"), _Program("catdoc", ("-d", "utf-8", "-w", "{file}"), suffix=".rtf")),
    "ppt": (_office("pptx", ".ppt"), _Program("catppt", ("-d", "utf-8", "{file}"), suffix=".ppt")),
}


def engine(wanted: str = "auto") -> str | None:
    """The OCR engine that is used: name and version; None where none is installed, or none is wanted. `wanted`: auto, off, or
    the name of one."""
    found = [name for name in ENGINES if (wanted in ("auto", name)) and _is_there(name)]
    return ENGINES[found[0]] if found else None


@cache
def _is_there(name: str) -> bool:
    if name == "rapidocr":
        return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None
    if not programs.have("tesseract"):
        return False
    listed = programs.output("tesseract", ("--list-langs",), b"", seconds=10, memory=512 << 20) or b""
    return b"chi_sim" in listed.split()


def is_whole(reader: str) -> bool:
    """Whether a text that was read so has the words of its pictures."""
    return "+" in reader


def is_stale(kind: str, reader: str, scans: int, engine: str | None) -> bool:
    """Whether a file that was read so would be read otherwise now: a newer reader, something that was not installed then, or OCR
    for its pictures (`scans`), which it did not have."""
    base = reader.partition("+")[0]
    if base.startswith("none/"):
        if base == f"none/{files.MISSING}:{kind}":
            return files.missing(kind) is None
        return base == f"none/{_UNREAD}:{kind}" and any(programs.have(one.name) for one in _PROGRAMS.get(kind, ()))
    if base not in {files.READERS.get(kind), *(f"{one.name}/1" for one in _PROGRAMS.get(kind, ()))}:
        return True
    return bool(scans) and engine is not None and not is_whole(reader)


def read(data: bytes, name: str, words: Mapping[int, str] | None = None, engine: str | None = None) -> FileText:
    """What a file says. `words`: by number, what `recognise` gave for its pictures; `engine`: the one that there is."""
    try:
        found = sandbox.run(_read, data, name, dict(words or {}), seconds=SECONDS, memory=MEMORY, patient=True)
    except ParseError as error:
        return FileText("", "none/1", problem=f"it {error.message}")
    if not found.text and found.problem is not None and found.kind in _PROGRAMS:
        return _by_program(data, found)
    return _with_scans(found, words or {}, engine)


def _read(data: bytes, name: str, words: Mapping[int, str]) -> FileText:
    return files.read(data, name, {number: nouns.load(kept) for number, kept in words.items() if kept})


def _by_program(data: bytes, found: FileText) -> FileText:
    for program in _PROGRAMS[found.kind]:
        made = programs.output(
            program.name,
            program.arguments,
            data,
            suffix=program.suffix,
            made=program.made,
            seconds=program.seconds,
            memory=program.memory,
        )
        said = None
        if made:
            inner = read(made, program.made or "made.txt")
            said = inner.text
        if said:
            return replace(found, reader=f"{program.name}/1", text=said, problem=None)
    names = [program.name for program in _PROGRAMS[found.kind]]
    there = [name for name in names if programs.have(name)]
    reader = f"none/{_TRIED if there else _UNREAD}:{found.kind}"
    if there:
        return replace(found, reader=reader, problem=f"{found.problem}; {', '.join(there)} made nothing of it")
    return replace(found, reader=reader, problem=f"{found.problem}; install LibreOffice{_others(names)} to have it read")


def _others(names: Sequence[str]) -> str:
    others = [name for name in names if name != "soffice"]
    return f" or {' or '.join(others)}" if others else ""


def _with_scans(found: FileText, words: Mapping[int, str], engine: str | None) -> FileText:
    """With the engine in its reader's name where it has pictures, and what is not read of them in its problem."""
    if not found.scans:
        return found
    unread = [scan for scan in found.scans if scan.number not in words]
    reader = f"{found.reader}+{engine}" if engine and not unread else found.reader
    if not unread:
        problem = found.problem or (None if found.text else "no words were recognised in it")
        return replace(found, reader=reader, problem=problem)
    what = "it is a picture" if found.kind == "image" else f"{_places(unread)} of {found.pages or len(found.scans)} are pictures"
    what = what if found.kind in ("image", "pdf", "ofd") else f"there are {len(unread)} pictures of pages in it"
    said = f"{what}, whose words are not read{' yet' if engine else f': {NO_OCR}'}"
    return replace(found, reader=reader, problem=f"{found.problem}; {said}" if found.problem else said)


def _places(scans: Sequence[Scan]) -> str:
    """ "page 3", "pages 1–4, 7"."""
    numbers = [scan.inner for scan in scans]
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
    return f"{'page' if len(numbers) == 1 else 'pages'} {said}"


def recognise(data: bytes, name: str, scan: Scan, engine: str) -> str:
    """The words of one picture of a file, to be kept under the file's hash, the scan's number and the engine; "" where there are
    none, or the picture cannot be had."""
    try:
        picture = sandbox.run(_picture, data, name, scan, seconds=SECONDS, memory=MEMORY, patient=True)
        if picture is None:
            return ""
        if engine == ocr.RAPIDOCR:
            return sandbox.run(_rapidocr, picture, seconds=OCR_SECONDS, memory=OCR_MEMORY, pool=sandbox.OCR, patient=True)
    except ParseError:
        return ""
    table = programs.output(
        "tesseract",
        ("{file}", "-", "-l", "chi_sim", "--psm", "6", "tsv"),
        picture,
        suffix=".pgm",
        seconds=OCR_SECONDS,
        memory=OCR_MEMORY,
        pool=sandbox.OCR,
    )
    return nouns.dump(ocr.from_table(table.decode("utf-8", "replace"), picture)) if table else ""


def _picture(data: bytes, name: str, scan: Scan) -> bytes | None:
    try:
        return files.picture_of(data, name, scan)
    except nouns.Unreadable:
        return None


def _rapidocr(picture: bytes) -> str:
    return nouns.dump(ocr.rapidocr(picture))
