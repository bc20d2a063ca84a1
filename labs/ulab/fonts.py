"""Make matplotlib draw Chinese with whatever font the machine has."""

from __future__ import annotations

from ulab.language import language, say

CANDIDATES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    # A collection file is registered under its first face; the glyphs are the same.
    "Noto Sans CJK JP",
    "Noto Serif CJK SC",
    "Noto Serif CJK JP",
)


def use_fonts() -> str | None:
    """Let figures show Chinese; to be called once, before the first figure.

    Returns
    -------
    str or None
        The font found. None means that the machine has none: Chinese in figures then shows as
        boxes, and a line that says what to install is printed.
    """
    from matplotlib import font_manager, rcParams

    known = {font.name for font in font_manager.fontManager.ttflist}
    found = next((name for name in CANDIDATES if name in known), None)
    rcParams["axes.unicode_minus"] = False
    if found is not None:
        rcParams["font.family"] = [found, *rcParams["font.sans-serif"][:1]]
    elif language() == "zh":
        print(
            say(
                zh="这台机器没有中文字体，图中的汉字会显示成方框。请管理员安装 fonts-noto-cjk。",
                en="No Chinese font here; ask the administrator to install fonts-noto-cjk.",
            )
        )
    return found
