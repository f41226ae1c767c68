"""How everything looks: colours, fonts, spacing, and text that is rendered once and cached.

The accents are told apart by people with colour-blindness (after Okabe and Ito 2008, lightened for a
dark ground), and nothing is said by colour alone: good and bad, and clips 1 to 4, differ in shape too.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import Literal

import pygame

import assets

Color = tuple[int, int, int]
Anchor = Literal[
    "topleft", "midleft", "center", "midright", "topright", "midtop", "midbottom", "bottomleft", "bottomright"
]

GROUND: Color = (15, 17, 23)
BAR: Color = (20, 23, 31)
PANEL: Color = (26, 29, 39)
RAISED: Color = (36, 41, 54)
HOVER: Color = (46, 52, 68)
LINE: Color = (52, 58, 75)
TEXT: Color = (232, 234, 240)
SOFT: Color = (176, 183, 198)
MUTED: Color = (138, 146, 164)
ACCENT: Color = (103, 183, 247)
GOOD: Color = (74, 201, 166)
BAD: Color = (240, 138, 84)
WARN: Color = (242, 196, 90)
PINK: Color = (222, 143, 190)
CLIPS: tuple[Color, ...] = (ACCENT, WARN, GOOD, PINK)
"""Clips 1 to 4; their numbers are always written beside."""

SIZES = {"tiny": 12, "small": 13, "body": 15, "large": 18, "title": 24, "hero": 34}
_FILES = {
    (False, False): "fonts/inter-regular.woff2",
    (True, False): "fonts/inter-semibold.woff2",
    (False, True): "fonts/jetbrains-mono-regular.woff2",
    (True, True): "fonts/jetbrains-mono-semibold.woff2",
}


class Theme:
    """The look at one scale. Make a new one when the scale changes: fonts are rendered anew, sharp."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self.trace: list[tuple[str, pygame.Rect]] | None = None
        """Set to a list to note every text drawn and where (for tests); `panels` are noted with it."""
        self.panels: list[pygame.Rect] = []
        self._fonts: dict[tuple[bool, bool, int], pygame.font.Font] = {}
        self._texts: OrderedDict[tuple[object, ...], pygame.Surface] = OrderedDict()
        self._widths: dict[tuple[str, str, bool, bool], int] = {}
        self._icons: dict[tuple[str, int, Color], pygame.Surface | None] = {}

    def px(self, size: float) -> int:
        """A length of the 1280x720 design in pixels here."""
        return max(1, round(size * self.scale))

    def font(self, size: str = "body", *, bold: bool = False, mono: bool = False) -> pygame.font.Font:
        key = (bold, mono, self.px(SIZES[size]))
        if key not in self._fonts:
            try:
                self._fonts[key] = pygame.font.Font(str(assets.path(_FILES[bold, mono])), key[2])
            except (FileNotFoundError, pygame.error):  # an incomplete installation is still readable
                self._fonts[key] = pygame.font.Font(None, round(key[2] * 1.3))
        return self._fonts[key]

    def line(self, size: str = "body") -> int:
        """The height of a line of text [pixels]."""
        return self.font(size).get_linesize()

    def width(self, text: str, size: str = "body", *, bold: bool = False, mono: bool = False) -> int:
        key = (text, size, bold, mono)
        if key not in self._widths:
            if len(self._widths) > 3000:
                self._widths.clear()
            self._widths[key] = self.font(size, bold=bold, mono=mono).size(text)[0]
        return self._widths[key]

    def fit(
        self, text: str, width: int, size: str = "body", *, bold: bool = False, mono: bool = False
    ) -> str:
        """The text, cut with an ellipsis if it is wider than `width`."""
        if self.width(text, size, bold=bold, mono=mono) <= width:
            return text
        font = self.font(size, bold=bold, mono=mono)
        while text and font.size(text.rstrip() + "...")[0] > width:
            text = text[:-1]
        return text.rstrip() + "..." if text else ""

    def render(
        self, text: str, size: str = "body", color: Color = TEXT, *, bold: bool = False, mono: bool = False
    ) -> pygame.Surface:
        """The text as a surface, from the cache if it was drawn lately."""
        key = (text, size, color, bold, mono)
        if key in self._texts:
            self._texts.move_to_end(key)
            return self._texts[key]
        image = self.font(size, bold=bold, mono=mono).render(text, True, color)
        self._texts[key] = image
        if len(self._texts) > 600:
            self._texts.popitem(last=False)
        return image

    def forget_trace(self) -> None:
        """What follows covers all that was drawn."""
        if self.trace is not None:
            self.trace.clear()
            self.panels.clear()

    def text(
        self,
        surface: pygame.Surface,
        text: str,
        at: tuple[float, float],
        size: str = "body",
        color: Color = TEXT,
        *,
        bold: bool = False,
        mono: bool = False,
        anchor: Anchor = "topleft",
        width: int | None = None,
        alpha: int = 255,
    ) -> pygame.Rect:
        """Draw one line; `width` cuts it with an ellipsis. Returns where it stands."""
        if width is not None:
            text = self.fit(text, width, size, bold=bold, mono=mono)
        image = self.render(text, size, color, bold=bold, mono=mono)
        rect = image.get_rect(**{anchor: (round(at[0]), round(at[1]))})
        if alpha < 255:
            image = image.copy()
            image.set_alpha(alpha)
        surface.blit(image, rect)
        if self.trace is not None and text:
            self.trace.append((text, rect))
        return rect

    def wrap(self, text: str, width: int, size: str = "body", *, bold: bool = False) -> list[str]:
        """The text in lines no wider than `width`."""
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if self.width(longer, size, bold=bold) <= width or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        return [self.fit(line, width, size, bold=bold) for line in lines]

    def paragraph(
        self,
        surface: pygame.Surface,
        text: str,
        rect: pygame.Rect,
        size: str = "body",
        color: Color = SOFT,
        *,
        bold: bool = False,
    ) -> int:
        """Draw wrapped text from the top of `rect`, no further than its bottom; returns the y below it."""
        y, step = rect.top, self.line(size)
        lines = self.wrap(text, rect.width, size, bold=bold)
        room = max(0, (rect.height + step // 4) // step)
        if len(lines) > room > 0:
            lines[room - 1] = self.fit(lines[room - 1] + " ...", rect.width, size, bold=bold)
        for line in lines[:room]:
            self.text(surface, line, (rect.left, y), size, color, bold=bold)
            y += step
        return y

    def icon(self, name: str, size: int, color: Color = TEXT) -> pygame.Surface | None:
        """An icon of assets/icons (SVG strokes) in one colour, `size` pixels square, or None."""
        key = (name, size, color)
        if key not in self._icons:
            try:
                svg = io.BytesIO(assets.icon(name, "#{:02x}{:02x}{:02x}".format(*color)))
                self._icons[key] = pygame.image.load_sized_svg(svg, (size, size)).convert_alpha()
            except FileNotFoundError:
                self._icons[key] = None
        return self._icons[key]


_ROUNDED: OrderedDict[tuple[object, ...], pygame.Surface] = OrderedDict()
_SMALL = 30_000  # [pixels] rounded areas up to this size are kept as pictures


def rounded(
    surface: pygame.Surface,
    rect: pygame.Rect,
    color: Color,
    radius: int,
    border: Color | None = None,
    width: int = 1,
) -> None:
    """A rectangle with smooth round corners, and an optional border inside its edge."""
    rect = pygame.Rect(rect)
    if rect.width * rect.height > _SMALL or rect.width < 1 or rect.height < 1:
        _round(surface, rect, color, radius, border, width)
        return
    key = (rect.size, color, radius, border, width)
    picture = _ROUNDED.get(key)
    if picture is None:
        picture = pygame.Surface(rect.size, pygame.SRCALPHA)
        picture.fill((*(border or color), 0))
        _round(picture, picture.get_rect(), color, radius, border, width)
        _ROUNDED[key] = picture
        if len(_ROUNDED) > 400:
            _ROUNDED.popitem(last=False)
    surface.blit(picture, rect)


def _round(
    surface: pygame.Surface, rect: pygame.Rect, color: Color, radius: int, border: Color | None, width: int
) -> None:
    if border is not None:
        _round(surface, rect, border, radius, None, 0)
        rect, radius = rect.inflate(-2 * width, -2 * width), max(0, radius - width)
    radius = min(radius, (rect.width - 1) // 2, (rect.height - 1) // 2)
    if radius < 2:
        pygame.draw.rect(surface, color, rect)
        return
    left, right = rect.left + radius, rect.right - radius - 1
    top, bottom = rect.top + radius, rect.bottom - radius - 1
    for center in ((left, top), (right, top), (left, bottom), (right, bottom)):
        pygame.draw.aacircle(surface, color, center, radius)
    pygame.draw.rect(surface, color, (rect.left, top, rect.width, max(1, bottom - top + 1)))
    pygame.draw.rect(surface, color, (left, rect.top, max(1, right - left + 1), rect.height))


def mix(a: Color, b: Color, share: float) -> Color:
    """`share` of the way from a to b."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]
