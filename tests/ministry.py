"""A ministry's site that publishes, edits, withdraws and fails as real ones do, and writes down what it showed to whom.

Every answer is logged as a look of the reference (`tests/reference.py`): a list page, or a notice's page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape

from tests.house import CLOSED, CUT, Site
from tests.reference import FAULT, GONE, ListLook, PageLook, Shown

HTML = "text/html; charset=utf-8"
LOADING = "<html><head><title>loading</title></head><body><div id='zoom'>正在加载</div></body></html>".encode()
DELETED = "<html><head><title>提示</title></head><body><p>您访问的页面不存在或已被删除</p></body></html>".encode()
NOT_FOUND = b"<html><title>404 Not Found</title><body>404 Not Found</body></html>"
#: Faults of a list and of pages: a status, or what is wrong with the answer.
STATUS = {"500": 500, "403": 403, "503": 503, "closed": CLOSED, "cut": CUT}
LIST_FAULTS = (*STATUS, "empty", "half", "skeleton", "strange", "dateless", "stale")
PAGE_FAULTS = (*STATUS, "skeleton")
NUMBER = re.compile(r"第(\d{3,4})号")


@dataclass
class Paper:
    """What was published: its row and its page. `fate` is "" or how its page is gone: 404, 410 or deleted."""

    number: int
    title: str
    date: str
    text: str
    linked: bool = True
    fate: str = ""
    former: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    edits: int = 0

    @property
    def name(self) -> str:
        return f"x{self.number}"

    def retitle(self) -> None:
        self.edits += 1
        self.titles.append(self.title)
        self.title = f"关于公布第{self.number:03d}号目录的公告（{'修订' * self.edits}）"

    def rewrite(self, text: str) -> None:
        self.former.append(self.text)
        self.edits += 1
        self.text = text


@dataclass
class Ministry(Site):
    """`rows` of the site are papers, newest first. `folder` is where its pages lie; `mark` the class of its list."""

    papers: list[Paper] = field(default_factory=list)
    archive: dict[str, Paper] = field(default_factory=dict)  # all that was ever published, by name
    folder: str = "p"
    mark: str = "l"
    beyond: str = "404"  # what stands after the last page of the list: 404, or an empty page
    fault: str = ""
    page_fault: str = ""
    stale: list[tuple[str, Shown]] = field(default_factory=list)
    looks: list[ListLook | PageLook] = field(default_factory=list)

    def publish(self, date: str, *, linked: bool = True, at: int = 0) -> Paper:
        number = len(self.archive) + 1
        paper = Paper(number, f"关于公布第{number:03d}号目录的公告", date, body_of(number), linked)
        self.papers.insert(at, paper)
        self.archive[paper.name] = paper
        return paper

    def shown(self) -> list[tuple[str, Shown]]:
        """The rows of the list as it is now."""
        return [(self.key(paper), Shown(paper.title, paper.date)) for paper in self.papers]

    def key(self, paper: Paper) -> str:
        return f"/{self.folder}/{paper.name}.html" if paper.linked else f"title:{paper.title}"

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path.startswith("/list/"):
            number = int(path.removeprefix("/list/index_").removesuffix(".html")) if "index_" in path else 0
            status, body, rows = self._listing(number)
            self.looks.append(ListLook(number, rows))
        else:
            status, body, shown = self._paper(path)
            self.looks.append(PageLook(path, shown))
        return status, HTML, body

    def _listing(self, number: int) -> tuple[int, bytes, tuple[tuple[str, Shown], ...] | None]:
        if self.fault in STATUS:
            status = STATUS[self.fault]
            return status, self._rows(self.shown()[:3]) if status <= 0 else b"<html><title>error</title></html>", None
        if self.fault == "skeleton":
            return 200, LOADING, ()
        rows = self.stale if self.fault == "stale" else self.shown()
        rows = rows[number * self.per_page : (number + 1) * self.per_page] if self.per_page else rows * (number == 0)
        if number and not rows and self.beyond == "404":
            return 404, NOT_FOUND, ()
        match self.fault:
            case "empty":
                rows = []
            case "half":
                rows = rows[: len(rows) // 3]
            case "dateless":
                rows = [(key, Shown(shown.title)) for key, shown in rows]
            case "strange":
                return 200, self._rows(rows).replace(b"class='", b"class='other-"), ()
        return 200, self._rows(rows), tuple(rows)

    def _rows(self, rows: list[tuple[str, Shown]]) -> bytes:
        items = "".join(
            f"<li><b>{escape(shown.title)}</b><span>{shown.date or ''}</span></li>"
            if key.startswith("title:")
            else f"<li><a href='{key}'>{escape(shown.title)}</a><span>{shown.date or ''}</span></li>"
            for key, shown in rows
        )
        return f"<html><head><title>list</title></head><body><ul class='{self.mark}'>{items}</ul></body></html>".encode()

    def _paper(self, path: str) -> tuple[int, bytes, Shown | str]:
        folder, _, name = path.strip("/").removesuffix(".html").partition("/")
        paper = self.archive.get(name)
        if self.page_fault in STATUS:
            return STATUS[self.page_fault], b"<html><title>error</title><body>error</body></html>", FAULT
        if paper is None or folder != self.folder or paper.fate == "404":
            return 404, NOT_FOUND, GONE
        if paper.fate:
            return (410, NOT_FOUND, GONE) if paper.fate == "410" else (200, DELETED, GONE)
        if self.page_fault == "skeleton":
            return 200, LOADING, FAULT
        lines = "".join(f"<p>{escape(line)}</p>" for line in paper.text.split("\n"))
        title = escape(paper.title)
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><div id='zoom'>{lines}</div></body></html>"
        return 200, page.encode(), Shown(paper.title, None, paper.text)


def body_of(number: int) -> str:
    """A text that no other paper has."""
    return "\n".join(
        (
            f"为做好第{number}批目录的有关工作，现将有关事项公告如下。",
            f"一、纳入第{number}批目录的产品，应当符合附录所列的技术要求，并由所在地主管部门核实。",
            f"二、各单位应当对照第{number}批目录逐项检查，发现不符的立即改正，并保存检查记录备查。",
            "三、本公告自公布之日起施行，此前规定与本公告不一致的，以本公告为准。",
        )
    )
