"""Invented people and places: the kinds of addresses Amazon buyers type in."""

from __future__ import annotations

from random import Random

from simulators.amazon.wire import JsonObject

FIRST = {
    "DE": ("Jürgen", "Anneliese", "Maximilian", "Käthe", "Björn", "Sophie", "Yıldız", "Hans-Peter"),
    "GB": ("Oliver", "Amelia", "Siobhán", "George", "Isla", "Harry", "Ffion", "Jack"),
    "FR": ("François", "Zoé", "Jean-Baptiste", "Hélène", "Gaël", "Inès", "Benoît", "Chloé"),
    "US": ("James", "Maria", "Robert", "LaToya", "José", "Emily", "Wei", "Ashley"),
    "CA": ("Liam", "Chloé", "Noah", "Émilie", "Ethan", "Aanya", "Logan", "Olivia"),
}
LAST = {
    "DE": ("Müller", "Schröder", "Großmann", "Weiß", "von der Heide", "Kowalczyk", "Öztürk", "Meyer-Landrut"),
    "GB": ("Smith", "O'Connor", "Fotheringham-Hughes", "Patel", "MacDonald", "Jones", "Clarke", "Wright"),
    "FR": ("Lefèvre", "Dubois", "d'Aubigné", "Garçon", "Moreau", "Noël", "Petit", "Béranger"),
    "US": ("Johnson", "Nguyen", "Garcia", "Smith Jr.", "O'Brien", "Williams", "Hernández", "Lee"),
    "CA": ("Tremblay", "Singh", "MacLeod", "Gagnon", "Roy", "Campbell", "Bouchard", "Chen"),
}
STREETS = {
    "DE": ("Hauptstraße", "Am Kirchplatz", "Königsallee", "Münchner Straße", "Straße des 17. Juni"),
    "GB": ("High Street", "Station Road", "Church Lane", "King's Crescent", "Mill Hill"),
    "FR": ("Rue de la République", "Avenue du Général-Leclerc", "Allée des Chênes", "Place de l'Église"),
    "US": ("Main St", "Oak Ridge Dr", "Martin Luther King Jr Blvd", "W 42nd St", "County Road 12"),
    "CA": ("Yonge St", "Rue Sainte-Catherine O", "Maple Ave", "Portage Ave", "Granville St"),
}
# city, state as buyers write it, postal code
PLACES = {
    "DE": (
        ("Köln", "Nordrhein-Westfalen", "50667"), ("München", "Bayern", "80331"), ("Lübeck", "", "23552"),
        ("Frankfurt am Main", "Hessen", "60311"), ("Berlin", "Berlin", "10115"),
    ),
    "GB": (
        ("London", "Greater London", "SW1A 1AA"), ("Stoke-on-Trent", "Staffordshire", "ST4 2QY"),
        ("EDINBURGH", "", "EH1 1YZ"), ("Cardiff", "Wales", "CF10 1EP"),
    ),
    "FR": (
        ("Paris", "Île-de-France", "75011"), ("Besançon", "", "25000"), ("Saint-Étienne", "Loire", "42000"),
        ("MARSEILLE", "Provence-Alpes-Côte d'Azur", "13001"),
    ),
    "US": (
        ("Seattle", "WA", "98101"), ("New York", "New York", "10036-4102"), ("AUSTIN", "TX", "78701"),
        ("St. Louis", "Missouri", "63101"), ("Miami", "FL", "33101"),
    ),
    "CA": (
        ("Toronto", "ON", "M5V 2T6"), ("Montréal", "Quebec", "H3B 1A7"),
        ("Vancouver", "British Columbia", "V6B 1A1"), ("Winnipeg", "MB", "R3C 0A1"),
    ),
}  # fmt: skip
COMPANIES = {
    "DE": ("Gebrüder Ahrens Feinkost GmbH & Co. KG", "Praxis Dr. med. dent. Köhler"),
    "GB": ("The Crooked Spire Tea Rooms Ltd", "Department of Materials, Imperial Campus"),
    "FR": ("SARL Les Délices du Marché", "Cabinet d'avocats Béranger & Associés"),
    "US": ("Blue Heron Coffee Roasters LLC", "Lakeside Unified School District"),
    "CA": ("Café Boréal inc.", "Northern Lights Bed & Breakfast"),
}
EXTRAS = {
    "DE": ("c/o Familie Schönfelder", "Hinterhaus, 3. OG links", "Packstation 142", "Postnummer 8812345"),
    "GB": ("Flat 2A", "Leave with neighbour at no. 14", "The Old Coach House"),
    "FR": ("Bâtiment C, escalier 2", "3ème étage gauche", "Code porte 47B12"),
    "US": ("Apt 4B", "Suite 1200", "PO Box 8812", "Unit #7"),
    "CA": ("App. 302", "Buzzer 118", "RR 3"),
}
# written as buyers write them
PHONES = {
    "DE": ("+49 171 {a} {b}", "0171/{a}{b}", "+49 (0) 221-{a}{b}"),
    "GB": ("+44 20 7946 0{a}", "07700 900{a}", "0044 7700 900 {a}"),
    "FR": ("+33 6 12 34 {a}", "06.12.34.56.{a}", "0033612{a}{b}"),
    "US": ("+1 206-555-0{a}", "(206) 555-0{a} ext. {b}", "2065550{a}"),
    "CA": ("+1 416-555-0{a}", "416.555.0{a}", "(514) 555-0{a}"),
}
LONG_TAILS = {
    "DE": "Einfahrt neben dem Gasthof zur alten Post, 2. Hof rechts",
    "GB": "behind the village hall, past the second cattle grid",
    "FR": "au bout du chemin de la fontaine aux oiseaux",
    "US": "second gravel driveway past the old railroad water tower",
    "CA": "deuxième entrée après la vieille station-service",
}
# no blank to wrap at, longer than any address field
UNWRAPPABLE = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftsstraße"
OTHER_SCRIPTS = ("山田太郎", "Ελένη Παπαδοπούλου", "Наталья Воробьёва", "محمد الحسن")
UNKNOWN_STATES = {"US": "Jefferson", "CA": "Acadia", "DE": "Preußen", "GB": "Mercia", "FR": "Septimanie"}
"""Names of states that exist in no M3 table."""


def name(random: Random, country: str) -> str:
    """A buyer's name."""
    return f"{random.choice(FIRST[country])} {random.choice(LAST[country])}"


def address(random: Random, country: str) -> JsonObject:
    """An address that fits: long lines can be wrapped at blanks, states may be written in full."""
    city, state, postal = random.choice(PLACES[country])
    number = random.randint(1, 299)
    street = random.choice(STREETS[country])
    line = f"{number} {street}" if country in ("GB", "FR", "US", "CA") else f"{street} {number}"
    result: JsonObject = {"name": name(random, country), "addressLine1": line}
    if random.random() < 0.12:
        result["addressLine1"] = f"{line}, {LONG_TAILS[country]}"
    else:
        if random.random() < 0.3:
            result["addressLine2"] = random.choice(EXTRAS[country])
        if random.random() < 0.15:
            result["companyName"] = random.choice(COMPANIES[country])
    result["city"] = city
    if country in ("US", "CA") or (state and random.random() < 0.7):
        result["stateOrRegion"] = state
    result["postalCode"] = postal
    result["countryCode"] = country
    if random.random() < 0.8:
        pattern = random.choice(PHONES[country])
        result["phone"] = pattern.format(a=random.randint(100, 999), b=random.randint(1000, 9999))
    result["addressType"] = "COMMERCIAL" if "companyName" in result else "RESIDENTIAL"
    return result


def unfit_address(random: Random, country: str) -> JsonObject:
    """An address of 150 letters with hardly a blank: it cannot be put into four lines of 36 without loss."""
    result = address(random, country)
    result["addressLine1"] = f"{UNWRAPPABLE} {random.randint(1, 99)}"
    result["addressLine2"] = f"Verwaltungsgebäude{UNWRAPPABLE[:44].lower()}"
    if random.random() < 0.5:
        result["name"] = random.choice(OTHER_SCRIPTS)
    return result


def refused_address(random: Random, country: str) -> JsonObject:
    """An address in a state that M3 does not know."""
    result = address(random, country)
    result["stateOrRegion"] = UNKNOWN_STATES[country]
    return result
