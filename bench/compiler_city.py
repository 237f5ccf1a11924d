"""A city of any size for the compiler: the example city, grown by numbers, menus, skills, seats, agents and prompts."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent / "config"
_NUMBERS_A_SKILL = 25
"""A department has so many numbers."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a city has beside what the example city has."""

    seats: int
    """As many agents, too. At most 20,000: their ids have five digits."""
    numbers: int
    menus: int

    @property
    def skills(self) -> int:
        return max(2, self.numbers // _NUMBERS_A_SKILL)


FULL = Size(seats=10_000, numbers=1_000, menus=500)


def part(divisor: int) -> Size:
    """The full size divided by `divisor` in everything."""
    return Size(FULL.seats // divisor, FULL.numbers // divisor, FULL.menus // divisor)


def write_city(folder: Path, size: Size) -> None:
    """Writes the settings of a city of this size into an empty `folder`; the same size gives the same files."""
    for path in sorted(EXAMPLE.glob("*.yaml")):
        shutil.copy(path, folder)
    for name, grown in _GROWN.items():
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write("\n" + grown(size))


def _number(place: int) -> int:
    return 60_000 + place


def _skill(place: int, size: Size) -> str:
    return f"skill_{place % size.skills}"


def _numbers(size: Size) -> str:
    """Every second number has a menu; the menus are trees whose tops are shared out among these numbers."""
    return "".join(
        f"{_number(place)}:\n"
        f"  name: {{ zh: 热线{place}, en: Hotline {place} }}\n"
        "  modes:\n"
        "    - { mode: parallel, from: 2021-12-01 }\n"
        f"  greeting: greeting_{place}\n"
        + (f"  menu: menu_{place // 2 % size.menus}\n" if place % 2 == 0 else "")
        + f"  skill: {_skill(place, size)}\n"
        for place in range(size.numbers)
    )


def _menus(size: Size) -> str:
    """Each leads to two further ones as long as there are any, to a number, to a skill, and back."""
    return "".join(
        f"menu_{place}:\n  prompt: text_{place}\n  keys:\n"
        + "".join(f"    {key}: {{ menu: menu_{2 * place + key} }}\n" for key in (1, 2) if 2 * place + key < size.menus)
        + f"    3: {{ queue: {_skill(place, size)} }}\n"
        f"    4: {{ number: {_number(7 * place % size.numbers)} }}\n"
        "    8: { language: en }\n"
        "    9: repeat\n"
        '    "#": back\n'
        for place in range(size.menus)
    )


def _skills(size: Size) -> str:
    return "".join(
        f"skill_{place}:\n"
        f"  name: {{ zh: 业务{place}, en: Matter {place} }}\n"
        "  level: 2\n"
        "  steps:\n"
        "    - { after: 30s, level: 1 }\n"
        "    - { after: 2m, also: general }\n"
        for place in range(size.skills)
    )


def _seats(size: Size) -> str:
    """Every second seat serves two skills and English by itself, the others when somebody signs on."""
    return "".join(
        f"  {20_000 + place}: {{ name: 席位{place}"
        + (f", skills: [{_skill(place, size)}, {_skill(place + 1, size)}, english]" if place % 2 == 0 else "")
        + " }\n"
        for place in range(size.seats)
    )


def _agents(size: Size) -> str:
    return "".join(
        f"  {40_000 + place}: {{ name: 坐席{place}, "
        f"skills: {{ {_skill(place, size)}: {1 + place % 5}, {_skill(place + 1, size)}: 3, english: 2 }} }}\n"
        for place in range(size.seats)
    )


def _prompts(size: Size) -> str:
    greetings = "".join(
        f"  greeting_{place}:\n"
        f"    zh: 您好，这里是{_number(place)}服务热线，感谢您的来电。\n"
        f"    en: Hello, this is the service hotline, {_number(place)}.\n"
        for place in range(size.numbers)
    )
    return greetings + "".join(
        f"  text_{place}:\n"
        f"    zh: 第{place}项业务请按1，相关业务请按2，人工受理请按3，重听请按9，返回请按井号键，人工服务请按0。\n"
        f"    en: For matter {place}, press 1. For related matters, press 2. To speak to a person, press 0.\n"
        for place in range(size.menus)
    )


_GROWN: Mapping[str, Callable[[Size], str]] = {
    "numbers.yaml": _numbers,
    "menus.yaml": _menus,
    "skills.yaml": _skills,
    "seats.yaml": _seats,
    "agents.yaml": _agents,
    "prompts.yaml": _prompts,
}
"""Files that end with the part that grows."""
