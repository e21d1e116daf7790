"""A made-up catalogue and the listings of it: the same products, named by two people who never met.

Items are named as in M3, short and abbreviated; listings as at Amazon, long. Products come in families that differ in
size or colour only. Nothing here is taken from a real catalogue.
"""

import random
from dataclasses import dataclass
from typing import Final

from canonical.sku.gtin import check_digit
from canonical.sku.models import Item, Listing

_SYLLABLES: Final = (
    "al", "bo", "ca", "dor", "el", "fen", "gra", "hul", "in", "jo", "ka", "lum", "mar", "nor", "os", "pel", "qua",
    "ri", "sol", "tek", "ul", "ver", "wen", "xa", "yor", "zen",
)  # fmt: skip
_KINDS: Final = (
    "Kettle", "Toaster", "Desk Lamp", "Drill", "Garden Hose", "Headphones", "Monitor", "Keyboard", "Mouse", "Router",
    "Backpack", "Water Bottle", "Frying Pan", "Knife Set", "Cutting Board", "Coffee Grinder", "Blender",
    "Vacuum Cleaner", "Air Purifier", "Fan Heater", "Office Chair", "Bookshelf", "Bath Towel", "Pillow", "Duvet Cover",
    "Wall Clock",
    "Photo Frame", "Speaker", "Turntable", "Amplifier", "Camera Bag", "Tripod", "Memory Card", "USB Cable", "Charger",
    "Power Bank", "Screwdriver Set", "Hammer", "Pliers", "Tape Measure", "Ladder", "Paint Roller", "Door Handle",
    "Shower Head", "Mixer Tap", "Bicycle Pump", "Helmet", "Running Shoes", "Rain Jacket", "Work Gloves", "Tea", "Soap",
)  # fmt: skip
_EXTRAS: Final = (
    "with Timer", "Stainless Steel", "Cordless", "Professional", "for Home and Office", "Adjustable", "Compact",
    "Heavy Duty", "Easy to Clean", "Energy Saving", "Waterproof", "Silent", "Portable", "with Case", "Lightweight",
    "Original", "New Model", "Gift Box", "Long Life", "High Quality",
)  # fmt: skip
_COLOURS: Final = ("Black", "White", "Silver", "Red", "Blue", "Green", "Grey", "Beige")
_SIZES: Final = (
    ("inch", "in"),
    ("cm", "cm"),
    ("l", "L"),
    ("W", "Watt"),
    ("ml", "ml"),
    ("GB", "gb"),
    ("pack", "pcs"),
)
_COLOUR_LETTERS: Final = {colour: colour[0] for colour in _COLOURS}


@dataclass(frozen=True)
class Product:
    """One thing that is sold, before anybody named it."""

    number: int
    brand: str
    kind: str
    model: tuple[str, str, str]
    """Letters, digits and the letter of the variant."""
    colour: str
    size: int
    unit: tuple[str, str]


def made_products(count: int, seed: int = 7) -> list[Product]:
    """Families of up to six products that differ in colour or size."""
    chance = random.Random(seed)
    brands = sorted({_brand(chance) for _ in range(max(12, count // 250))})
    products: list[Product] = []
    while len(products) < count:
        brand, kind = chance.choice(brands), chance.choice(_KINDS)
        letters = "".join(chance.choice("ABCDEFGHKLMNPRSTVWX") for _ in range(chance.choice((1, 2, 2, 3))))
        digits = str(chance.randrange(10 ** chance.choice((2, 3, 3, 4))))
        size, unit = (
            chance.choice((5, 7, 10, 15, 20, 24, 32, 40, 50, 75, 100, 250, 500)),
            chance.choice(_SIZES),
        )
        for colour in chance.sample(_COLOURS, chance.choice((1, 1, 2, 3))):
            for bigger in range(chance.choice((1, 1, 2))):
                model = letters, str(int(digits) + 10 * bigger), _COLOUR_LETTERS[colour]
                products.append(Product(len(products), brand, kind, model, colour, size * (1 + bigger), unit))
    return products[:count]


def item_of(product: Product, seed: int = 7) -> Item:
    """The product in M3: 30 characters, abbreviated; a longer description now and then, an EAN for most."""
    chance = random.Random(f"item {seed} {product.number}")
    letters, digits, variant = product.model
    model = f"{letters}{digits}{variant}" if chance.random() < 0.8 else f"{letters}{digits}"
    kind = product.kind if chance.random() < 0.5 else _shortened(product.kind)
    parts = [product.brand, kind, model, f"{product.size}{product.unit[1]}", product.colour[:3]]
    name = " ".join(parts).upper()[:30].strip()
    described = chance.random() < 0.4
    text = (
        f"{product.brand} {product.kind} {product.colour} {product.size} {product.unit[0]}"
        if described
        else ""
    )
    gtins = (made_ean(product.number),) if chance.random() < 0.7 else ()
    return Item(itno=f"{100000 + product.number}", name=name, description=text[:60], gtins=gtins)


def listing_of(product: Product, seed: int = 7) -> Listing:
    """The product at Amazon: a long title in which the model is written in another way, or not at all."""
    chance = random.Random(f"listing {seed} {product.number}")
    letters, digits, variant = product.model
    ways = (
        f"{letters}{digits}{variant}",
        f"{letters}-{digits}{variant}",
        f"{letters} {digits}{variant}",
        f"{letters}{digits}",
    )
    model = chance.choice(ways) if chance.random() < 0.8 else ""
    size = f"{product.size} {product.unit[0]}" if chance.random() < 0.8 else ""
    colour = product.colour if chance.random() < 0.8 else ""
    extras = chance.sample(_EXTRAS, chance.choice((0, 1, 2, 3)))
    parts = [product.kind, *extras, size, colour, model]
    if chance.random() < 0.3:
        chance.shuffle(parts)
    title = " ".join(part for part in (product.brand, *parts) if part)
    return Listing(sku=f"SELLER-{product.number}", title=title, brand=product.brand)


def made_ean(number: int) -> str:
    """A number with a right check digit, of the prefix GS1 Germany gives."""
    digits = f"400{number:09d}"
    return digits + check_digit(digits)


def _brand(chance: random.Random) -> str:
    return "".join(chance.choice(_SYLLABLES) for _ in range(chance.choice((2, 2, 3)))).capitalize()


def _shortened(words: str) -> str:
    """As people shorten to make it fit: the vowels inside words go."""
    return " ".join(
        word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou") for word in words.split()
    )
