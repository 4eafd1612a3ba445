"""HTML as templates, editors and mail programs write it, with their mistakes; no two links lead to the same place."""

from __future__ import annotations

import random

SPACES = (" ", "\n", "\t", "\x0c", "  ")
TAILS = (
    "", "?a=1&amp;b=2", "?a=1&b=2&copy=3", "?q=%20x", "#f", "?x={{x}}", "?y=%%x%%", "/*|X|*", "?z=[[x]]", "/<%= x %>",
    "?amp=1&lt;", "?r=&reg;", "?n=&#47;&#x2F;", "?é=ü", "?a=&notit;&amp", "?j=日本", "&para", "/a b", "\n/x",
)  # fmt: skip
NAMES = (
    "class", "style", "TITLE", "target", "data-x", "href2", "xlink:href", "data-href", "on'x", 'a"b', "<b", "=", "src",
    "srcset", "id", "mc:x", "\0n", "é",
)  # fmt: skip
VALUES = (
    "", "x", "a>b", "<a href=http://no.example/>", "https://no.example/ 2x, https://no.example/y 3x", "'", '"', "x/y",
    "{{x}}",
)  # fmt: skip
TEXTS = (
    "x", " ", "&amp;", "<", "< a>", "<3", "é", "a > b", "\0", "{{x}}", "<%= '<a href=\"http://tpl.example\">' %>", "</",
    "<>", "</>", "</ x>", "日本語", "]]>", "-->",
)  # fmt: skip
BLOCKS = (
    "p", "div", "table", "tr", "td", "span", "b", "center", "font", "ul", "li", "img", "br", "button", "form", "base",
    "link", "meta", "h1", "object",
)  # fmt: skip
TEXT_ELEMENTS = (
    "script", "style", "title", "textarea", "xmp", "noscript", "iframe", "noembed", "noframes", "SCRIPT", "Style",
)  # fmt: skip
INSIDE = (
    "", "x", "<a href=http://no.example/1>", "<!--", "<!-- <script>", "</scrip>", "</style", "<b>", "</title x>",
    "<!--<script></script>-->", "'</a>'",
)  # fmt: skip
COMMENTS = (
    "<!-- x -->", "<!-- <a href='http://no.example/'> -->", "<!-->", "<!--->", "<!-- --!>", "<!---- -->",
    "<!-- a -- b -->", "<!x>", "<!doctype html>", "<?xml x='>'?>", "<![CDATA[ x ]]>", "<![if !mso]>", "<![endif]>",
    "<!--[if !mso]><!-->", "<!--<![endif]-->", "<! -- x>", "<!-", "<!--x--->",
)  # fmt: skip
FOREIGN = (
    "<path/>", "<title/>", "<title>x</title>", "<style/>", "<style>a{}</style>", "<script/>", "<g>", "</g>",
    "<foreignObject>", "</foreignObject>", "<desc>", "</desc>", "<mi>", "</mi>", "<a xlink:href='http://no.example/'>",
    "<![CDATA[<a href='http://no.example/'>]]>", "<textarea/>", "<xmp/>", "<font color=red>", "<font>", "<p>", "<br>",
    "</br>", "<text>",
)  # fmt: skip


class Soup:
    """One document after another, from a random number generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._count = 0

    def document(self) -> str:
        items = "".join(self._item(0) for _ in range(self._rng.randrange(1, 10)))
        start = self._rng.choice(("", "<!doctype html>", "<html><head>", "<html><body>"))
        return start + items + self._rng.choice(("", "</body></html>"))

    def _item(self, depth: int) -> str:
        pick, chance = self._rng.choice, self._rng.random()
        if chance < 0.45:
            name = pick(("a", "A", "a", "a", "area", "AREA", "a:b", "abbr", "article"))
            return self._tag(name, link=True) + pick(TEXTS) + pick(("</a>", "</A>", ""))
        if chance < 0.55:
            return pick(TEXTS)
        if chance < 0.7:
            name = pick(BLOCKS)
            inner = "".join(self._item(depth + 1) for _ in range(self._rng.randrange(4))) if depth < 4 else ""
            return self._tag(name, link=chance < 0.6) + inner + pick((f"</{name}>", f"</{name} >", ""))
        if chance < 0.82:
            name = pick(TEXT_ELEMENTS)
            end = pick((f"</{name}>", f"</{name}>", f"</{name} x='>'>", f"</{name.upper()}\n>"))
            return f"<{name}{self._attributes(link=False)}>" + pick(INSIDE) * self._rng.randrange(1, 3) + end
        if chance < 0.93:
            return pick(COMMENTS)
        name = pick(("svg", "math", "SVG"))
        inner = "".join(
            pick(FOREIGN) if self._rng.random() < 0.7 else self._tag("a", link=True)
            for _ in range(self._rng.randrange(1, 6))
        )
        return f"<{name}{self._attributes(link=False)}>{inner}" + pick((f"</{name}>", f"</{name}>", f"</{name}>", ""))

    def _tag(self, name: str, *, link: bool) -> str:
        return f"<{name}{self._attributes(link=link)}" + (">" if self._rng.random() < 0.97 else "")

    def _attributes(self, *, link: bool) -> str:
        rng = self._rng
        found = []
        for _ in range(rng.randrange(4)):
            name = rng.choice(NAMES)
            found.append(name + rng.choice(("=", " = ", "=\n")) + self._value(rng.choice(VALUES)))
            if rng.random() < 0.2:
                found[-1] = name
        if link:
            name = rng.choice(("href", "HREF", "Href"))
            found.insert(rng.randrange(len(found) + 1), name + rng.choice(("=", "=", " = ")) + self._value(self._url()))
            if rng.random() < 0.1:
                found.insert(rng.randrange(len(found) + 1), "href=" + self._value(self._url()))
            if rng.random() < 0.03:
                found.insert(0, "href")
        odd = (*SPACES, "/", " / ", "")
        text = "".join((rng.choice(odd) if rng.random() < 0.3 else " ") + attribute for attribute in found)
        return text + rng.choice(("", "", " ", "/", " /", "\n"))

    def _url(self) -> str:
        self._count += 1
        return f"https://e.example/{self._count}" + self._rng.choice(TAILS)

    def _value(self, value: str) -> str:
        chance = self._rng.random()
        if chance < 0.55:
            return '"' + value.replace('"', "&quot;") + '"'
        if chance < 0.75:
            return "'" + value.replace("'", "&#39;") + "'"
        if chance < 0.95:
            for character in " \n\"'`=<>":
                value = value.replace(character, "_")
            return value
        return "" if chance < 0.97 else '"' + value  # a quote that never closes
