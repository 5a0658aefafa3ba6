"""Radicals that fonts of PDF and OFD files give in place of the characters that they look like. It knows nothing of files.

Kangxi radicals (U+2F00…) become ordinary characters in `text.clean`; those of the supplement (U+2E80…) have no normal form in
Unicode, only an equivalent in its EquivalentUnifiedIdeograph. Here are those that are characters of their own.
"""

from __future__ import annotations

_RADICALS = str.maketrans(
    "⺁⺇⺎⺒⺓⺛⺜⺝⺠⺧⺩⺫⺬⺮⺶⺻⺼⺽⻁⻃⻄⻅⻆⻈⻉⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻲⺟⻳",
    "厂几兀巳幺旡日月民牛王目示竹羊聿肉臼虎西西见角讠贝车長长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龟母龟",
)


def unified(text: str) -> str:
    """The same with ordinary characters."""
    return text.translate(_RADICALS)
