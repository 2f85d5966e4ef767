"""Colours of the dark and the light chart, chosen to stay apart when colours are weak."""

from dataclasses import dataclass

from core.model.chart import LevelKind, Theme

Colour = tuple[float, float, float]
"""Red, green, blue, each 0-1."""


def _rgb(text: str) -> Colour:
    number = int(text, 16)
    return ((number >> 16) / 255, (number >> 8 & 255) / 255, (number & 255) / 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Every colour of one theme."""

    background: Colour
    sessions: tuple[Colour, Colour, Colour]
    """Asian, London, New York background."""
    grid: Colour
    text: Colour
    muted: Colour
    on_fill: Colour
    """Text on a filled tag."""
    up: Colour
    down: Colour
    up_soft: Colour
    """Bars of the volume panel and bars that are still forming."""
    down_soft: Colour
    entry: Colour
    stop: Colour
    target: Colour
    price: Colour
    on_price: Colour
    support: Colour
    resistance: Colour
    lines: tuple[Colour, ...]
    modes: dict[str, Colour]
    """Fill of the small tag that says where the money is, by watermark."""
    watermark_alpha: float
    box_alpha: float

    def level(self, kind: LevelKind) -> Colour:
        """The colour of a level's line and tag."""
        return {
            LevelKind.PRICE: self.price,
            LevelKind.ENTRY: self.entry,
            LevelKind.STOP: self.stop,
            LevelKind.TARGET: self.target,
            LevelKind.SUPPORT: self.support,
            LevelKind.RESISTANCE: self.resistance,
        }[kind]


DARK = Palette(
    background=_rgb("0e131b"),
    sessions=(_rgb("111a2a"), _rgb("0f1e22"), _rgb("1a1826")),
    grid=_rgb("232c39"),
    text=_rgb("eef2f7"),
    muted=_rgb("93a1b3"),
    on_fill=_rgb("ffffff"),
    up=_rgb("22c08a"),
    down=_rgb("f4495f"),
    up_soft=_rgb("1a7a5e"),
    down_soft=_rgb("933446"),
    entry=_rgb("2f7ff0"),
    stop=_rgb("d9304c"),
    target=_rgb("0f9466"),
    price=_rgb("dfe6ef"),
    on_price=_rgb("0e131b"),
    support=_rgb("58c4dc"),
    resistance=_rgb("f0975a"),
    lines=(_rgb("f5c344"), _rgb("a78bfa"), _rgb("58b6f5"), _rgb("f08cc0")),
    modes={"SIMULATED": _rgb("9a6a00"), "PAPER": _rgb("2463c4"), "LIVE": _rgb("c4203c")},
    watermark_alpha=0.10,
    box_alpha=0.20,
)

LIGHT = Palette(
    background=_rgb("ffffff"),
    sessions=(_rgb("f2f6fd"), _rgb("effaf6"), _rgb("f8f4fc")),
    grid=_rgb("dde3ea"),
    text=_rgb("131a24"),
    muted=_rgb("5a6778"),
    on_fill=_rgb("ffffff"),
    up=_rgb("0b9d6c"),
    down=_rgb("e02f49"),
    up_soft=_rgb("8bd0b6"),
    down_soft=_rgb("f2a3af"),
    entry=_rgb("1f6fe0"),
    stop=_rgb("d0213d"),
    target=_rgb("0a8558"),
    price=_rgb("1d2733"),
    on_price=_rgb("ffffff"),
    support=_rgb("0c7f9a"),
    resistance=_rgb("bd5a12"),
    lines=(_rgb("d98e04"), _rgb("7c4dea"), _rgb("1687d9"), _rgb("c93d8c")),
    modes={"SIMULATED": _rgb("b07800"), "PAPER": _rgb("2463c4"), "LIVE": _rgb("c4203c")},
    watermark_alpha=0.09,
    box_alpha=0.14,
)

PALETTES = {Theme.DARK: DARK, Theme.LIGHT: LIGHT}
