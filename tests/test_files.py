"""The text of files: each kind's promise, on documents made by hand. No file says nothing without saying why."""

from __future__ import annotations

import random
import zipfile
from io import BytesIO

import pytest

from monitor.model import Scan
from monitor.readers import files
from monitor.readers.files.kinds import kind_of
from monitor.readers.files.nouns import Line, Page, dump, load
from monitor.render.attached import joined
from tests import papers
from tests.papers import paragraph, table

TITLE = "关于印发《专项行动实施意见》的通知"
TEXT = [
    "为贯彻落实党中央、国务院决策部署，加快推动人工智能与制造业深度融合，现就有关事项通知如下。",
    "一、总体要求。坚持创新驱动，到2027年，推动3至5个通用大模型在制造业深度应用，形成特色化、全覆盖的行业大模型，打造100个工业领域高质量数据集，推广500个典型应用场景。",
    "（一）强化人工智能算力供给。推动智能芯片软硬协同发展，支持突破高端训练芯片、端侧推理芯片、人工智能服务器、高速互联、智算云操作系统等关键技术。加快建设高水平智算设施。",
    "第二条 各单位应于2026年6月30日前报送落实情况，联系邮箱：office@example.gov.cn，逾期不予受理。",
    "附件：报送表",
]


def text_of(data: bytes, name: str = "a.bin") -> str:
    return files.read(data, name).text


def problem_of(data: bytes, name: str = "a.bin") -> str:
    found = files.read(data, name)
    assert found.text == ""
    assert found.problem
    return found.problem


# --- PDF


@pytest.mark.parametrize("columns", range(18, 31))
@pytest.mark.parametrize("rows", [3, 7, 30])
def test_however_a_text_is_set_its_paragraphs_are_the_same(columns: int, rows: int) -> None:
    made = papers.pdf(papers.typeset(TEXT, columns=columns, rows=rows, title=TITLE if columns > 20 else ""))
    assert text_of(made) == "\n".join([TITLE, *TEXT] if columns > 20 else TEXT)


def test_a_word_put_in_changes_its_own_paragraph_and_no_other() -> None:
    after = [*TEXT[:2], TEXT[2].replace("高端训练芯片", "高端、低功耗训练芯片"), *TEXT[3:]]
    before, now = (text_of(papers.pdf(papers.typeset(text, rows=5))).split("\n") for text in (TEXT, after))
    assert [number for number, (old, new) in enumerate(zip(before, now, strict=True)) if old != new] == [2]


@pytest.mark.parametrize(
    "number", ["— {} —", "-{}-", "－ {} －", "第{}页", "第 {} 页 共 9 页", "{}", "{}/9", "Page {} of 9", "·{}·", "—{}—"]
)
def test_page_numbers_are_no_text(number: str) -> None:
    assert text_of(papers.pdf(papers.typeset(TEXT, rows=4, number=number))) == "\n".join(TEXT)


def test_a_running_title_is_no_text_where_it_repeats() -> None:
    pages = papers.typeset(TEXT * 3, rows=6)
    assert len(pages) > 3
    headed = [[*page, (80.0, 800.0, 10.0, f"GM/T 0031—2014 {at}")] for at, page in enumerate(pages)]
    assert text_of(papers.pdf(headed)) == "\n".join(TEXT * 3)


def test_a_number_of_the_text_stays_though_it_stands_alone() -> None:
    made = papers.typeset(["合计", "2026"], number="")
    assert text_of(papers.pdf(made)) == "合计\n2026"


def test_rows_and_lists_are_not_joined() -> None:
    rows = [
        (80.0, 700.0 - 28 * n, 16.0, said)
        for n, said in enumerate(
            ["序号　　　　　　单位　　　　　　　　　　期限", "1　　　　　　甲单位　　　　　　　　　　6月30日"]
        )
    ]
    assert len(text_of(papers.pdf([rows])).split("\n")) == 2
    leaders = ["1 范围…………………………………………………………………………1", "2 术语和定义…………………………………………………………………2"]
    lines = [(80.0, 700.0 - 28 * n, 12.0, said) for n, said in enumerate(leaders)]
    assert text_of(papers.pdf([lines])) == "\n".join(leaders)


TABLE = [
    ["序号", "单位", "<", "期限"],
    ["^", "名称", "联系人", "^"],
    ["1", "甲市工业和信\n息化局", "张三", "6月30日"],
    ["2", "乙公司", "", "7月1日\n（延期）"],
]
ROWS = ["序号 | 单位 | 期限", "| 名称 | 联系人 |", "1 | 甲市工业和信息化局 | 张三 | 6月30日", "2 | 乙公司 | | 7月1日 （延期）"]


@pytest.mark.parametrize("sideways", [0, 90, 270])
def test_a_ruled_table_is_told_row_by_row_whatever_its_cells_hold(sideways: int) -> None:
    placed, drawn = papers.ruled(TABLE, [50, 82, 60, 80])
    around = [(80.0, 760.0, 16.0, "附件：报送表"), *placed, (80.0, 400.0, 16.0, "注：逾期不予受理。")]
    said = text_of(papers.pdf([around], drawn=drawn, sideways=sideways, rotate=sideways))
    assert said == "\n".join(["附件：报送表", *ROWS, "注：逾期不予受理。"])


def test_a_ruled_table_of_an_ofd_is_told_row_by_row() -> None:
    placed, drawn = papers.ruled(TABLE, [50, 82, 60, 80])
    scale = 297 / 842

    def turned(y: float) -> float:
        return (842 - y) * scale

    pieces = [(x * scale, turned(y), size * scale, said) for x, y, size, said in placed]
    lines = [(x0 * scale, turned(y0), x1 * scale, turned(y1)) for x0, y0, x1, y1 in drawn]
    assert text_of(papers.ofd([pieces], drawn=lines)) == "\n".join(ROWS)


def test_a_bar_in_a_cell_is_no_border() -> None:
    placed, drawn = papers.ruled([["a|b", "c"], ["d", "e"]], [80, 80])
    assert text_of(papers.pdf([placed], drawn=drawn)) == "a｜b | c\nd | e"


def test_rows_that_are_not_ruled_off_are_told_apart_by_their_height() -> None:
    placed, drawn = papers.ruled(
        [["名称\n甲\n乙\n合计", "数量\n1\n2\n", "金额\n10\n20\n30", "税额\n1\n2\n3"]], [80, 60, 60, 60], height=80
    )
    assert text_of(papers.pdf([placed], drawn=drawn)).split("\n") == [
        "名称 | 数量 | 金额 | 税额",
        "甲 | 1 | 10 | 1",
        "乙 | 2 | 20 | 2",
        "合计 | | 30 | 3",
    ]


def test_a_cell_of_several_lines_beside_single_ones_is_one_row() -> None:
    placed, drawn = papers.ruled([["1", "第一行\n第二行\n第三行", "甲"], ["2", "乙", "丙"]], [30, 60, 60], height=60)
    assert text_of(papers.pdf([placed], drawn=drawn)) == "1 | 第一行 第二行 第三行 | 甲\n2 | 乙 | 丙"


def test_a_frame_around_text_is_no_table() -> None:
    text = papers.typeset(TEXT, rows=30)
    frame = [(60.0, 60.0, 60.0, 790.0), (300.0, 780.0, 300.0, 790.0), (540.0, 60.0, 540.0, 790.0)]
    frame += [(60.0, 60.0, 540.0, 60.0), (60.0, 780.0, 540.0, 780.0), (60.0, 790.0, 540.0, 790.0)]
    assert text_of(papers.pdf(text, drawn=frame)) == "\n".join(TEXT)


def test_a_page_of_very_many_strokes_is_read_without_looking_for_tables() -> None:
    strokes = [(10.0 + n % 500, 10.0, 10.0 + n % 500, 30.0 + n / 100) for n in range(40_000)]
    assert text_of(papers.pdf(papers.typeset(TEXT[:1]), drawn=strokes)) == TEXT[0]


@pytest.mark.parametrize("sideways", [0, 90, 180, 270])
@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_page_that_lies_on_its_side_is_read_as_one_that_stands(sideways: int, rotate: int) -> None:
    assert text_of(papers.pdf(papers.typeset(TEXT, rows=9), sideways=sideways, rotate=rotate)) == "\n".join(TEXT)


def test_radicals_become_the_characters_that_they_look_like() -> None:
    assert text_of(papers.pdf([[(80.0, 700.0, 16.0, "⼯业和信息化部⻓期⽀持⻋⻔")]])) == "工业和信息化部长期支持车门"


def test_a_pdf_says_which_of_its_pages_are_pictures() -> None:
    made = papers.pdf([*papers.typeset(TEXT[:1]), [], []], scans=[1, 2])
    found = files.read(made, "a.pdf")
    assert (found.text, found.pages, [(scan.number, scan.where) for scan in found.scans]) == (
        TEXT[0],
        3,
        [(2, "page 2"), (3, "page 3")],
    )


def test_the_words_of_a_picture_page_stand_where_the_page_stands() -> None:
    made = papers.pdf([*papers.typeset(TEXT[:1]), [], *papers.typeset(TEXT[4:])], scans=[1])
    words = Page((Line("手写的一页", 100, 400, 100, 130), Line("— 2 —", 240, 300, 800, 820)), 595, 842)
    assert files.read(made, "a.pdf", {2: words}).text == f"{TEXT[0]}\n手写的一页\n{TEXT[4]}"


def test_a_paragraph_goes_on_over_pages_that_are_pictures() -> None:
    first = Page((Line("各省、自治区、直辖市人民政府，国务院各部", 100, 900, 1300, 1340),), 1000, 1400)
    second = Page((Line("委、各直属机构：", 100, 400, 100, 140), Line("现印发给你们。", 180, 460, 180, 220)), 1000, 1400)
    made = papers.pdf([[], []], scans=[0, 1])
    assert (
        files.read(made, "a.pdf", {1: first, 2: second}).text
        == "各省、自治区、直辖市人民政府，国务院各部委、各直属机构：\n现印发给你们。"
    )


def test_a_page_picture_can_be_had_for_recognition() -> None:
    made = papers.pdf([[], []], scans=[1])
    picture = files.picture_of(made, "a.pdf", Scan(2, 2))
    assert picture.startswith(b"P5 1653 2339 255\n")
    assert len(picture) == len(b"P5 1653 2339 255\n") + 1653 * 2339
    assert picture[-1653 * 1000] == 0, "the page is black"


def test_an_encrypted_pdf_says_so() -> None:
    assert problem_of(papers.locked(papers.pdf(papers.typeset(TEXT)), "x")) == "it is encrypted and asks for a password"


def test_a_pdf_that_only_forbids_printing_is_read() -> None:
    made = papers.locked(papers.pdf(papers.typeset(TEXT)), "")
    assert text_of(made) == "\n".join(TEXT)


def test_a_pdf_that_was_cut_off_gives_what_is_there_or_says_so() -> None:
    whole = papers.pdf(papers.typeset(TEXT))
    assert text_of(whole[:-12]) == "\n".join(TEXT)
    assert problem_of(whole[:700]) == "it is no whole PDF: it was cut off, or is damaged"


# --- Word


def test_a_word_document_gives_paragraphs_and_rows_in_order() -> None:
    body = paragraph(TEXT[0]) + table([["序号", "单位"], ["1", "甲\n（章）"], ["2", ""]]) + paragraph("落款")
    assert text_of(papers.docx(body)) == f"{TEXT[0]}\n序号 | 单位\n1 | 甲 （章）\n2 |\n落款"


def test_numbers_that_word_puts_before_paragraphs_are_read() -> None:
    levels = [
        ("chineseCounting", "第%1条 "),
        ("chineseCounting", "（%2）"),
        ("decimal", "%3."),
        ("bullet", "●"),
        ("lowerLetter", "%5)"),
    ]
    numbering = '<w:abstractNum w:abstractNumId="7">' + "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{said}"/></w:lvl>'
        for at, (form, said) in enumerate(levels)
    )
    numbering += '</w:abstractNum><w:num w:numId="3"><w:abstractNumId w:val="7"/></w:num>'
    styles = '<w:style w:styleId="A"><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>'
    styles += '<w:style w:styleId="B"><w:basedOn w:val="A"/></w:style>'

    def listed(said: str, level: int) -> str:
        return paragraph(said, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="3"/></w:numPr>')

    body = "".join(listed(f"甲{n}", 0) for n in range(11)) + listed("子", 1) + listed("目", 2) + listed("目", 2) + listed("点", 3)
    body += paragraph("样式", '<w:pStyle w:val="B"/>') + listed("子", 1) + listed("字母", 4)
    found = text_of(papers.docx(body, numbering=numbering, styles=styles)).split("\n")
    assert found[:2] == ["第一条 甲0", "第二条 甲1"]
    assert found[9:] == ["第十条 甲9", "第十一条 甲10", "（一）子", "1.目", "2.目", "点", "第十二条 样式", "（一）子", "a)字母"]


def test_what_was_struck_out_is_not_there_and_what_was_put_in_is() -> None:
    struck, put = "<w:del><w:r><w:delText>删去</w:delText></w:r></w:del>", "<w:ins><w:r><w:t>插入</w:t></w:r></w:ins>"
    assert text_of(papers.docx(f"<w:p><w:r><w:t>保留</w:t></w:r>{struck}{put}</w:p>")) == "保留插入"


def test_the_page_numbers_of_a_contents_list_are_no_text() -> None:
    field = "".join(
        f"<w:r>{part}</w:r>"
        for part in (
            "<w:t>第一章 总则</w:t><w:tab/>", '<w:fldChar w:fldCharType="begin"/>', "<w:instrText> PAGEREF _Toc1 </w:instrText>",
            '<w:fldChar w:fldCharType="separate"/>', "<w:t>17</w:t>", '<w:fldChar w:fldCharType="end"/>', "<w:t>。</w:t>",
        )
    )  # fmt: skip
    assert text_of(papers.docx(f"<w:p>{field}</w:p>")) == "第一章 总则 。"


def test_text_in_a_frame_is_read_once() -> None:
    frame = "<w:txbxContent>" + paragraph("框内") + "</w:txbxContent>"
    twice = f"<AlternateContent><Choice>{frame}</Choice><Fallback>{frame}</Fallback></AlternateContent>"
    assert text_of(papers.docx(f"<w:p><w:r><w:t>正文</w:t>{twice}</w:r></w:p>")) == "正文\n框内"


def test_a_word_document_of_before_2007_gives_paragraphs_and_rows_in_order() -> None:
    made = papers.doc(
        f"{TEXT[0]}\r\r序号\x07单位\x07\x1c1\x07\x07\x1c甲\x1d（章）\x07乙\x07\x1c落款\x0b日期\r\x13 HYPERLINK x \x14链接\x15之后"
    )
    assert text_of(made, "a.doc") == f"{TEXT[0]}\n\n序号 | 单位\n1 |\n甲 （章） | 乙\n落款\n日期\n链接之后"


def test_the_same_bytes_under_the_name_of_wps_are_the_same_document() -> None:
    made = papers.doc(TEXT[0])
    assert files.read(made, "a.wps").text == files.read(made, "a.doc").text == TEXT[0]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        pytest.param(papers.doc("x", encrypted=True), "it is encrypted and asks for a password", id="doc"),
        pytest.param(papers.compound({"EncryptedPackage": b"x" * 5000}), "it is encrypted and asks for a password", id="docx"),
        pytest.param(papers.doc("x", version=0x65), "it was written by a Word of before 1997", id="Word 95"),
        pytest.param(
            papers.compound({"WordDocument": b"x" * 5000, "1Table": b"x" * 5000}),
            "it is no whole Word document: it was cut off, or is damaged",
            id="cut off",
        ),
    ],
)
def test_a_word_document_that_cannot_be_read_says_why(made: bytes, said: str) -> None:
    assert problem_of(made, "a.doc") == said


# --- spreadsheets, presentations, open documents


def test_a_sheet_is_headed_by_its_name_and_hidden_ones_are_named() -> None:
    made = papers.xlsx({"一季度": [["名称", "数量"], ["甲", 3.0], ["", 2.5], ["含|竖线", ""]], "参数": [["x"]]}, hidden=["参数"])
    found = files.read(made, "a.xlsx")
    assert found.text == "[一季度]\n名称 | 数量\n甲 | 3\n| 2.5\n含｜竖线"
    assert found.problem == "hidden sheets are left out: 参数"


def test_a_spreadsheet_under_another_name_is_still_one() -> None:
    assert text_of(papers.xlsx({"S": [["a"]]}), "a.et") == "[S]\na"


def test_slides_and_open_documents_are_read() -> None:
    space = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    slide = f"<p:sld xmlns:p='p' {space}><a:p><a:r><a:t>{{}}</a:t></a:r></a:p></p:sld>"
    slides = {f"ppt/slides/slide{n}.xml": slide.format(f"第{n}页") for n in (10, 2, 1)}
    assert text_of(papers.packed({"[Content_Types].xml": "", **slides})) == "第1页\n\n第2页\n\n第10页"
    row = "<t:table-row><t:table-cell><t:p>a</t:p></t:table-cell><t:table-cell><t:p>b</t:p></t:table-cell></t:table-row>"
    content = f"<office xmlns:t='t'><t:h>标题</t:h><t:p>甲<t:s/>乙</t:p><t:table>{row}</t:table></office>"
    made = papers.packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})
    assert text_of(made) == "标题\n甲 乙\na | b"


# --- OFD


@pytest.mark.parametrize("loose", [False, True], ids=["well packed", "oddly packed"])
def test_an_ofd_is_read_page_by_page_in_reading_order(loose: bool) -> None:
    pages = [[(20.0, 60.0, 5.0, "第二行"), (20.0, 50.0, 5.0, "第一行"), (50.0, 60.1, 5.0, "右边")], [(20.0, 50.0, 5.0, "第二页")]]
    assert text_of(papers.ofd(pages, loose=loose)) == "第一行\n第二行 右边\n第二页"


def test_pieces_of_a_word_are_one_word_and_paragraphs_go_over_lines() -> None:
    def pieces(page: list[papers.Placed]) -> list[papers.Placed]:
        scale = 297 / 842
        return [
            ((x + size * papers.width(said[:at])) * scale, (842 - y) * scale, size * scale, said[at : at + 3])
            for x, y, size, said in page
            for at in range(0, len(said), 3)
        ]

    assert text_of(papers.ofd([pieces(page) for page in papers.typeset(TEXT, rows=5)])) == "\n".join(TEXT)


def test_seals_and_signatures_of_an_ofd_are_no_text() -> None:
    seal = {"Doc_0/Signs/Signatures.xml": "<x>签名</x>", "Doc_0/Annots/A.xml": "<ofd:TextCode xmlns:ofd='o'>水印</ofd:TextCode>"}
    assert text_of(papers.ofd([[(20.0, 50.0, 5.0, "正文")]], extra=dict(seal))) == "正文"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"Encryptions.xml": "<x/>"}, "it is encrypted"),
        ({"Doc_0/Document.xml": "<ofd:Document xmlns:ofd='o'/>"}, "it is no whole OFD: none of its pages is there"),
    ],
    ids=["encrypted", "without pages"],
)
def test_an_ofd_that_cannot_be_read_says_why(extra: dict[str, bytes | str], said: str) -> None:
    assert problem_of(papers.ofd([[(20.0, 50.0, 5.0, "正文")]], extra=extra), "a.ofd") == said


# --- saved as something else


def test_an_error_page_under_the_name_of_a_document_is_none_and_says_so() -> None:
    page = "<!DOCTYPE html><html><head><title>404 - 页面不存在</title></head><body>您访问的页面不存在</body></html>".encode()
    for name in ("附件.pdf", "附件.doc", "附件.xls", "附件"):
        assert problem_of(page, name) == "a page came instead of the file: “404 - 页面不存在”"


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_a_table_that_was_saved_as_a_page_is_a_document(codec: str) -> None:
    rows = "<table><tr><td>甲</td><td>1</td></tr></table>"
    page = f"<html xmlns:x='urn:schemas-microsoft-com:office:excel'><meta charset={codec}>{rows}</html>"
    assert text_of(page.encode(codec), "a.xls") == text_of(rows.encode(codec), "a.xls") == "甲 | 1"


def test_documents_of_xml_and_in_one_file_are_read() -> None:
    excel = "<?xml version='1.0'?><?mso-application progid=\"Excel.Sheet\"?><Workbook xmlns='u' xmlns:ss='u'>"
    excel += "<Worksheet ss:Name='表'><Table><Row><Cell><Data>甲</Data></Cell><Cell ss:Index='3'><Data>1</Data></Cell></Row>"
    excel += "</Table></Worksheet></Workbook>"
    assert text_of(excel.encode(), "a.xls") == "[表]\n甲 | | 1"
    word = "<?xml version='1.0'?><?mso-application progid=\"Word.Document\"?>"
    word += f"<w:wordDocument xmlns:w='w'><w:body>{paragraph('甲')}</w:body></w:wordDocument>"
    assert text_of(word.encode(), "a.doc") == "甲"
    mht = "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n"
    mht += "<html><p>甲</p></html>\n--x--\n"
    assert text_of(mht.encode(), "a.doc") == "甲"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_plain_text_is_read_in_its_charset(codec: str) -> None:
    assert text_of("第一行\r\n第二行".encode(codec), "a.txt") == "第一行\n第二行"


# --- packed files


def test_packed_files_are_each_headed_by_their_name() -> None:
    made = papers.packed({
        "附件1.docx": papers.docx(paragraph("甲")), "子/附件2.pdf": papers.pdf(papers.typeset(["乙"])), "__MACOSX/._x": b"x",
        "坏.pdf": b"%PDF-1.4", "内.zip": papers.packed({"深.txt": "丙"}),
    })  # fmt: skip
    broken = "(it is no whole PDF: it was cut off, or is damaged)"
    assert text_of(made).split("\n\n") == [
        "[附件1.docx]\n甲",
        "[子/附件2.pdf]\n乙",
        f"[坏.pdf]\n{broken}",
        "[内.zip]\n[深.txt]\n丙",
    ]


def test_names_that_chinese_programs_packed_are_read() -> None:
    made = papers.packed({"AAAA.txt": "甲"})
    assert text_of(made.replace(b"AAAA", "附件".encode("gb18030"))) == "[附件.txt]\n甲"


def test_pictures_in_packed_files_are_numbered_through_and_can_be_had() -> None:
    inner = papers.packed({"b.png": papers.png(300, 200, [(50, 80)])})
    made = papers.packed({"a.pdf": papers.pdf([[], []], scans=[1]), "in.zip": inner})
    found = files.read(made, "a.zip")
    assert [(one.number, one.inner, one.path, one.where) for one in found.scans] == [
        (2, 2, ("a.pdf",), "a.pdf, page 2"),
        (3, 1, ("in.zip", "b.png"), "in.zip, b.png"),
    ]
    assert files.picture_of(made, "a.zip", found.scans[0]).startswith(b"P5 1653")
    assert files.picture_of(made, "a.zip", found.scans[1]).startswith(b"P5 300 200")
    words = {3: Page((Line("图中的字", 10, 100, 50, 80),), 300, 200)}
    assert files.read(made, "a.zip", words).text.endswith("[b.png]\n图中的字")


def test_a_file_that_unpacks_to_far_more_than_it_is_is_not_unpacked() -> None:
    bomb = papers.packed({"a.txt": bytes(300 << 20)})
    assert len(bomb) < 400_000
    assert "unpacks to far more than it is" in text_of(bomb)
    document = papers.packed({"[Content_Types].xml": "", "word/document.xml": bytes(200 << 20)})
    assert "unpacks to far more than it is" in problem_of(document)


def test_files_packed_in_each_other_are_opened_three_deep() -> None:
    made = papers.packed({"x.txt": "甲"})
    for _ in range(5):
        made = papers.packed({"in.zip": made})
    assert text_of(made).endswith("(it is packed too deep to be opened)")


def test_at_most_so_many_files_are_read() -> None:
    found = files.read(papers.packed({f"{n}.txt": "x" for n in range(files.MOST_FILES + 5)}), "a.zip")
    assert found.problem == f"only its first {files.MOST_FILES} files were read"
    many = papers.packed({f"{n}": "" for n in range(5001)})
    assert problem_of(many) == "it holds 5001 files, and more than 5000 are not read"


def test_a_file_whose_sizes_lie_is_not_believed() -> None:
    made = bytearray(papers.packed({"a.txt": bytes(50 << 20)}))
    at = made.index(b"PK\x01\x02")
    made[at + 24 : at + 28] = (100).to_bytes(4, "little")
    assert "damaged" in text_of(bytes(made)) or len(text_of(bytes(made))) < 200


def test_an_encrypted_packed_file_says_so() -> None:
    made = bytearray(papers.packed({"a.txt": "x"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(mark) + place] |= 1
    assert text_of(bytes(made)) == "[a.txt]\n(it is encrypted and asks for a password)"


# --- pictures


def test_a_long_picture_is_cut_where_no_letter_is() -> None:
    bands = [(y, y + 30) for y in range(20, 8000, 70)]
    found = files.read(papers.png(600, 8000, bands), "a.png")
    assert len(found.scans) > 4
    heights = []
    for scan in found.scans:
        picture = files.picture_of(papers.png(600, 8000, bands), "a.png", scan)
        head, _, body = picture.partition(b" 255\n")
        height = int(head.split()[2])
        heights.append(height)
        assert body[:600] == b"\xff" * 600, "its first row is blank"
    assert sum(heights) == 8000


def test_a_small_picture_holds_no_words() -> None:
    assert problem_of(papers.png(60, 60)) == "it is a picture too small to hold words"
    assert problem_of(papers.png(400, 300)[:80]) == "it is no whole picture: it was cut off, or is damaged"


def test_pictures_of_an_article_are_one_text() -> None:
    texts = [
        "关于印发实施意见的通知\n各省、自治区、直辖市人民政府，国务院各部",
        "委、各直属机构：\n现印发给你们。",
        "",
        "附件",
        "一、总则",
    ]
    want = "关于印发实施意见的通知\n各省、自治区、直辖市人民政府，国务院各部委、各直属机构：\n现印发给你们。\n附件\n一、总则"
    assert joined(texts) == want


def test_lines_that_are_kept_are_the_same_when_taken_up_again() -> None:
    page = Page((Line("甲", 1.04, 2, 3, 4, row=True), Line('乙"', 1, 2.5, 3, 4)), 100, 200)
    assert load(dump(page)) == Page((Line("甲", 1.0, 2, 3, 4, row=True), page.lines[1]), 100, 200)


# --- what they are


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"", "a.pdf", "empty"), (b"\0\0\n", "a.doc", "empty"), (b"junk\n%PDF-1.7\n", "a", "pdf"),
        (b"Rar!\x1a\x07\0", "a.zip", "rar"), (b"7z\xbc\xaf\x27\x1c", "a.zip", "7z"), (b"\x1f\x8b\x08", "a.gz", "gz"),
        (b"{\\rtf1", "a.doc", "rtf"), (b"\xff\xd8\xff\xe0", "a", "image"), (b"RIFF....WEBPVP8", "a.jpg", "image"),
        (bytes(range(256)), "a.dat", "unknown"), (b"<html>", "a.pdf", "page"), (b"<html>", "a.html", "html"),
        (b"PK\x03\x04 broken", "a.docx", "zip?"), (papers.compound({"Something": b"x" * 4096}), "a.doc", "ole"),
        (papers.compound({"Workbook": b"x" * 4096}), "a.doc", "xls"),
        (papers.compound({"PowerPoint Document": b"x" * 4096}), "a.dps", "ppt"),
        (papers.docx(""), "a.xlsx", "docx"), (papers.packed({"a": "b"}), "a.docx", "zip"), ("附件".encode(), "a.pdf", "text"),
    ],
    ids=lambda each: each if isinstance(each, str) else f"{len(each)} bytes",
)  # fmt: skip
def test_a_file_is_what_its_content_says_whatever_its_name(data: bytes, name: str, kind: str) -> None:
    assert kind_of(data, name) == kind


GOOD = {
    "pdf": papers.pdf(papers.typeset(TEXT)), "docx": papers.docx(paragraph("甲") + table([["a", "b"]])),
    "doc": papers.doc("甲\ra\x07b\x07\x1c乙"), "xlsx": papers.xlsx({"S": [["a", 1.0]]}),
    "ofd": papers.ofd([[(20.0, 50.0, 5.0, "正文")]]), "png": papers.png(300, 300, [(100, 120)]),
    "zip": papers.packed({"a.docx": papers.docx(paragraph("甲"))}),
}  # fmt: skip


@pytest.mark.parametrize("kind", GOOD)
def test_a_file_in_which_bytes_are_wrong_gives_text_or_a_reason_and_never_an_exception(kind: str) -> None:
    chance = random.Random(kind)
    for _ in range(150):
        data = bytearray(GOOD[kind])
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        for _ in range(chance.randrange(1, 12)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        found = files.read(bytes(data), f"a.{kind}")
        assert found.text or found.scans or found.problem


def test_without_the_extra_a_file_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    for kind in ("pdf", "xlsx", "doc", "png"):
        assert problem_of(GOOD[kind], f"a.{kind}") == "text not read: install notice-monitor[docs]"
    assert text_of(GOOD["docx"]) == "甲\na | b"
    assert text_of(GOOD["ofd"]) == "正文"


def test_members_out_of_order_are_read_in_the_files_order() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("b.txt", "乙")
        made.writestr("a.txt", "甲")
    assert text_of(out.getvalue()) == "[b.txt]\n乙\n\n[a.txt]\n甲"
