"""Packed files, opened with bounds: how many members, how much each unpacks to and all together. It knows no format inside."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from lxml import etree

from monitor.readers.files.nouns import Unreadable

#: Members; bytes of one when unpacked, and of all; times that one may grow in unpacking where it grows beyond `HARMLESS` bytes.
MOST_MEMBERS, MOST_BYTES, MOST_IN_ALL, MOST_GROWTH, HARMLESS = 5000, 120 << 20, 400 << 20, 200, 4 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, KeyError, IndexError)
_ENCRYPTED = 0x1


class Packed:
    """A ZIP file. Names are as people wrote them, with "/" between folders; what is read counts towards one bound for all."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except _BROKEN:
            raise Unreadable("is no whole packed file: it was cut off, or is damaged") from None
        infos = [info for info in self._zip.infolist() if not info.filename.endswith(("/", "\\"))]
        if len(infos) > MOST_MEMBERS:
            raise Unreadable(f"holds {len(infos)} files, and more than {MOST_MEMBERS} are not read")
        self._infos = {_name(info): info for info in infos}
        self._folded = {name.lower(): name for name in self._infos}
        self._left = MOST_IN_ALL

    @property
    def names(self) -> list[str]:
        """The members in the file's own order."""
        return list(self._infos)

    def find(self, name: str) -> str | None:
        """The member of that name, whatever its case; None where there is none."""
        return self._folded.get(name.lower())

    def read(self, name: str) -> bytes:
        """A member unpacked. Raises Unreadable where it is encrypted, damaged or beyond the bounds."""
        info = self._infos[name]
        if info.flag_bits & _ENCRYPTED:
            raise Unreadable("is encrypted and asks for a password")
        most = min(MOST_BYTES, self._left, max(HARMLESS, MOST_GROWTH * max(info.compress_size, 1)))
        if info.file_size > most:  # no more than this is unpacked, whatever comes
            raise Unreadable(f"unpacks to far more than it is: {name} alone to over {most >> 20} MiB")
        try:
            data = self._zip.read(info)
        except RuntimeError:
            raise Unreadable("is encrypted and asks for a password") from None
        except _BROKEN:
            raise Unreadable(f"is damaged: {name} cannot be unpacked") from None
        self._left -= len(data)
        return data

    def xml(self, name: str) -> etree._Element:
        """A member as a tree; what is damaged in it is left out."""
        return tree(self.read(name))


def tree(data: bytes) -> etree._Element:
    """XML from outside as a tree: no entities, no network, no more depth than the parser's own. Raises Unreadable."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise Unreadable("is damaged: what it holds is no XML")
    return root


def local(element: etree._Element) -> str:
    """An element's name without its namespace, which differs between editions of a format."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: etree._Element, name: str) -> str:
    """The attribute of that name in whatever namespace; "" where it has none."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return ""


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was written: what says nothing of its charset is taken for GB 18030 where that fits, as Chinese programs
    write it."""
    name = info.filename
    if not info.flag_bits & 0x800:
        try:
            raw = name.encode("cp437")
            name = raw.decode("ascii") if raw.isascii() else raw.decode("utf-8")
        except UnicodeDecodeError:
            name = raw.decode("gb18030", "replace")
        except UnicodeEncodeError:
            pass
    return name.replace("\\", "/").lstrip("/").removeprefix("./")
