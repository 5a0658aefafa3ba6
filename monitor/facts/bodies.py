"""The bodies that issue official texts, and what else they are called: the full name and its abbreviations are one body.

It knows the central bodies of China and the usual bodies of security notices; users add their own. Names that it does not know
are read elsewhere, as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

#: News houses: what they carry is others'.
NEWS = frozenset({"新华通讯社", "中央广播电视总台"})
#: What a site or an account of a body adds to its name.
_OUTLET = re.compile(
    r"(?:官方|门户|政府|政务)?(?:网站|官网|门户|微信|微博|公众号|微信公众号|客户端|发布|微报|政务新媒体|新闻办公室?|(?:漏洞)?(?:共享)?平台|安全动态|漏洞库)?"
    r"(?:[（(][^()（）]{1,20}[)）])?"
)

#: Full name (as the body signs), then its other names. A body's office is another body than the body.
TABLE: tuple[tuple[str, ...], ...] = (
    ("中共中央",),
    ("全国人民代表大会常务委员会", "全国人大常委会"),
    ("全国人民代表大会", "全国人大"),
    ("国务院", "中华人民共和国国务院"),
    ("中共中央办公厅", "中办"),
    ("国务院办公厅", "国办"),
    ("中央军委", "中央军事委员会"),
    ("中央军委办公厅",),
    ("最高人民法院", "最高法"),
    ("最高人民检察院", "最高检"),
    ("中央宣传部", "中宣部", "中共中央宣传部"),
    ("中央组织部", "中组部", "中共中央组织部"),
    ("中央政法委", "中央政法委员会"),
    ("中央编办", "中央机构编制委员会办公室"),
    # one office under two names: 中央网信办 for the Party, 国家网信办 for the State
    (
        "国家互联网信息办公室", "中央网络安全和信息化委员会办公室", "中央网信办", "国家网信办", "网信办", "国家互联网信息办",
    ),
    ("外交部",),
    ("国防部",),
    ("国家发展和改革委员会", "国家发展改革委", "国家发改委", "发展改革委", "发改委"),
    ("教育部",),
    ("科学技术部", "科技部"),
    ("工业和信息化部", "工信部", "国家工信部"),
    ("国家民族事务委员会", "国家民委"),
    ("公安部",),
    ("国家安全部", "国安部"),
    ("民政部",),
    ("司法部",),
    ("财政部",),
    ("人力资源和社会保障部", "人力资源社会保障部", "人社部"),
    ("自然资源部",),
    ("生态环境部",),
    ("住房和城乡建设部", "住房城乡建设部", "住建部"),
    ("交通运输部",),
    ("水利部",),
    ("农业农村部",),
    ("商务部",),
    ("文化和旅游部", "文旅部"),
    ("国家卫生健康委员会", "国家卫生健康委", "国家卫健委", "卫生健康委", "卫健委"),
    ("退役军人事务部", "退役军人部"),
    ("应急管理部",),
    ("中国人民银行", "人民银行", "央行"),
    ("审计署", "国家审计署"),
    ("中央社会工作部",),
    ("国务院国有资产监督管理委员会", "国务院国资委", "国资委"),
    ("海关总署",),
    ("国家税务总局", "税务总局"),
    ("国家市场监督管理总局", "市场监管总局", "国家市场监管总局"),
    ("国家标准化管理委员会", "国家标准委"),
    ("国家认证认可监督管理委员会", "国家认监委"),
    ("国家广播电视总局", "广电总局"),
    ("国家体育总局", "体育总局"),
    ("国家统计局",),
    ("国家国际发展合作署", "国际发展合作署"),
    ("国家医疗保障局", "国家医保局"),
    ("国家金融监督管理总局", "金融监管总局", "国家金融监管总局"),
    ("中国银行保险监督管理委员会", "中国银保监会", "银保监会"),
    ("中国证券监督管理委员会", "中国证监会", "证监会"),
    ("国家信访局",),
    ("国家知识产权局", "国知局"),
    ("国家新闻出版署",),
    ("国家版权局",),
    ("国家数据局",),
    ("国家能源局",),
    ("国家国防科技工业局", "国防科工局"),
    ("国家烟草专卖局",),
    ("国家移民管理局",),
    ("国家林业和草原局", "国家林草局"),
    ("国家铁路局",),
    ("中国民用航空局", "民航局", "中国民航局"),
    ("国家邮政局",),
    ("国家文物局",),
    ("国家中医药管理局",),
    ("国家疾病预防控制局", "国家疾控局"),
    ("国家矿山安全监察局", "国家矿山安监局"),
    ("国家消防救援局",),
    ("国家外汇管理局", "国家外汇局", "外汇局"),
    ("国家药品监督管理局", "国家药监局"),
    ("国家粮食和物资储备局",),
    ("国家保密局",),
    ("国家密码管理局", "国家密码局"),
    ("国家档案局",),
    ("国家公务员局",),
    ("国家地震局", "中国地震局"),
    ("中国气象局",),
    ("国家航天局",),
    ("国家原子能机构",),
    ("国务院港澳事务办公室", "国务院港澳办"),
    ("中国科学院", "中科院"),
    ("中国工程院",),
    ("中国社会科学院", "社科院"),
    ("国务院发展研究中心",),
    ("中央广播电视总台",),
    ("新华通讯社", "新华社"),
    ("全国社会保障基金理事会", "社保基金会"),
    ("国家自然科学基金委员会", "国家自然科学基金委"),
    ("中国国家铁路集团有限公司", "国铁集团"),
    ("中华全国总工会", "全国总工会"),
    ("共青团中央",),
    ("全国妇联",),
    ("中国残联", "中国残疾人联合会"),
    ("全国网络安全标准化技术委员会", "全国网安标委", "网安标委"),
    ("工业和信息化部办公厅", "工信部办公厅"),
    ("国家发展改革委办公厅", "国家发展和改革委员会办公厅"),
    ("教育部办公厅",),
    ("商务部办公厅",),
    ("财政部办公厅",),
    ("市场监管总局办公厅", "国家市场监督管理总局办公厅"),
    ("工业和信息化部网络安全管理局", "工业和信息化部网安局"),
    ("国家计算机网络应急技术处理协调中心", "国家互联网应急中心", "CNCERT/CC", "CNCERT"),
    ("国家信息安全漏洞共享平台", "CNVD"),
    ("国家信息安全漏洞库", "CNNVD"),
    ("工业和信息化部网络安全威胁和漏洞信息共享平台", "网络安全威胁和漏洞信息共享平台", "NVDB"),
    ("国家计算机病毒应急处理中心",),
    ("中国信息安全测评中心",),
    ("中国信息通信研究院", "中国信通院", "信通院"),
    ("国家工业信息安全发展研究中心",),
    ("Cybersecurity and Infrastructure Security Agency", "CISA", "美国网络安全和基础设施安全局", "美国网络安全与基础设施安全局"),
    ("National Institute of Standards and Technology", "NIST"),
)  # fmt: skip


class Bodies:
    """A table of bodies. Looking up is by the name's beginning, whatever the length of the table."""

    def __init__(self, table: Iterable[tuple[str, ...]] = TABLE) -> None:
        self._full: dict[str, str] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._starts: dict[str, list[str]] = {}
        for names in table:
            full = self._full.get(names[0], names[0])
            self._names[full] = tuple(dict.fromkeys((*self._names.get(full, ()), *names)))
            for name in names:
                if name and name not in self._full:
                    self._starts.setdefault(name[:2], []).append(name)
                self._full[name] = full
        for known in self._starts.values():
            known.sort(key=len, reverse=True)

    def extended(self, others: Mapping[str, Iterable[str]]) -> Bodies:
        """The same with more bodies, or more names of a known one: full name → other names."""
        return Bodies([*self._names.values(), *((full, *names) for full, names in others.items())])

    def __contains__(self, full: object) -> bool:
        return full in self._names

    def full(self, name: str) -> str | None:
        """The full name of the body that is called so; None where none is."""
        bare = name.removeprefix("中华人民共和国")
        return self._full.get(name) or self._full.get(bare)

    def outlet(self, name: str) -> str | None:
        """The full name of the body whose site or account is called so: the body's names, and nothing else that a site is not."""
        places = self.places(name.removeprefix("中华人民共和国"))
        if not places or places[0][0] != 0 or len({full for _, _, full in places}) > 1 or places[0][2] in NEWS:
            return None
        rest = name.removeprefix("中华人民共和国")
        for start, end, _ in reversed(places):
            rest = rest[:start] + rest[end:]
        return places[0][2] if _OUTLET.fullmatch(rest.strip(" /·-—")) else None

    def names(self, full: str) -> tuple[str, ...]:
        """All that a body is called, its full name first."""
        return self._names.get(full, (full,))

    def places(self, text: str) -> list[tuple[int, int, str]]:
        """Where bodies are named: (start, end, full name), the longest name at each place, in order and apart."""
        found: list[tuple[int, int, str]] = []
        at, starts, last = 0, self._starts, len(text) - 1
        while at < last:
            name = next((name for name in starts.get(text[at : at + 2], ()) if text.startswith(name, at)), None)
            if name is None or (name.isascii() and _inside_a_word(text, at, at + len(name))):
                at += 1
                continue
            found.append((at, at + len(name), self._full[name]))
            at += len(name)
        return found

    def find(self, text: str) -> tuple[str, ...]:
        """The full names of the bodies that a text names, in order, each once."""
        return tuple(dict.fromkeys(full for _, _, full in self.places(text)))


def _inside_a_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum())


BODIES = Bodies()
