"""Says which drawn objects belong to which category, which are forbidden, and which only fill the scene.

The names are those of the Unicode emoji list, the same in every set of drawings. What could be
argued about (a tiger as a cat, a whale as a fish) is decided here and nowhere else.
"""

SETS = ("noto", "noto-v1", "fluent-emoji-flat", "twemoji", "emojione", "fxemoji", "openmoji")
"""The drawing styles, each a package @iconify-json/NAME."""


def listed(text: str) -> tuple[str, ...]:
    """The names of a comma-separated list."""
    return tuple(name.strip() for name in text.replace("\n", " ").split(","))


CATEGORIES: dict[str, tuple[str, ...]] = {
    "cat": listed("""cat face, cat, black cat, grinning cat, grinning cat with smiling eyes, cat with tears of joy,
        smiling cat with heart-eyes, cat with wry smile, kissing cat, weary cat, crying cat, pouting cat"""),
    "dog": listed("dog face, dog, guide dog, service dog, poodle"),
    "bird": listed("""turkey, chicken, rooster, hatching chick, baby chick, front-facing baby chick, bird, penguin,
        dove, eagle, duck, swan, owl, dodo, flamingo, peacock, parrot, black bird, goose"""),
    "fish": listed("""fish, tropical fish, blowfish, shark, spouting whale, whale, dolphin, orca, octopus, squid,
        jellyfish, crab, lobster, shrimp"""),
    "insect": listed("""butterfly, bug, ant, honeybee, beetle, lady beetle, cricket, cockroach, spider, scorpion,
        mosquito, fly, worm, snail"""),
    "flower": listed("""bouquet, cherry blossom, white flower, lotus, rose, wilted flower, hibiscus,
        sunflower, blossom, tulip, hyacinth"""),
    "fruit": listed("""grapes, melon, watermelon, tangerine, lemon, lime, banana, pineapple, mango, red apple,
        green apple, pear, peach, cherries, strawberry, blueberries, kiwi fruit, coconut, tomato, olive"""),
    "food": listed("""bread, croissant, baguette bread, flatbread, pretzel, bagel, pancakes, waffle, meat on bone,
        poultry leg, cut of meat, bacon, hamburger, french fries, pizza, hot dog, sandwich, taco, burrito, tamale,
        stuffed flatbread, falafel, cooking, shallow pan of food, pot of food, fondue, green salad, popcorn,
        canned food, bento box, rice cracker, rice ball, cooked rice, curry rice, steaming bowl, spaghetti, oden,
        sushi, fried shrimp, fish cake with swirl, moon cake, dango, dumpling, takeout box, soft ice cream,
        shaved ice, ice cream, doughnut, cookie, birthday cake, shortcake, cupcake, pie, custard, cheese wedge"""),
    "car": listed("""bus, oncoming bus, trolleybus, minibus, ambulance, fire engine, police car, oncoming police car,
        taxi, oncoming taxi, automobile, oncoming automobile, sport utility vehicle, pickup truck, delivery truck,
        articulated lorry, tractor, racing car, auto rickshaw"""),
    "house": listed("""classical building, hut, houses, derelict house, house, house with garden, office building,
        Japanese post office, post office, hospital, bank, hotel, love hotel, convenience store, school,
        department store, factory, Japanese castle, castle, wedding, church, mosque, hindu temple, synagogue"""),
}

WEAPONS = listed("water pistol, dagger, crossed swords, bomb, bow and arrow, axe, kitchen knife, firecracker")
ALCOHOL = listed("""sake, bottle with popping cork, wine glass, cocktail glass, tropical drink, beer mug,
    clinking beer mugs, clinking glasses, tumbler glass, cigarette""")
MONEY = listed("""money bag, yen banknote, dollar banknote, euro banknote, money with wings, credit card, coin,
    gem stone, chart increasing, hundred points, slot machine, wrapped gift""")
OTHER = listed("""soccer ball, basketball, balloon, umbrella, chair, bed, books, guitar, trumpet,
    drum, backpack, top hat, crown, jeans, dress, running shoe, high-heeled shoe, key, light bulb, candle,
    camera, television, laptop, mobile phone, telephone, bicycle, sailboat, airplane, rocket, anchor, star, sun,
    rainbow, cloud, snowman, snowflake, evergreen tree, deciduous tree, palm tree, cactus, seedling, herb,
    maple leaf, mushroom, broccoli, carrot, teapot, hot beverage, spoon, wrench, gear, magnet, toolbox, basket,
    bucket, door, window, mirror, ribbon, teddy bear, game die, artist palette, pencil, scissors, paperclip,
    envelope, package, magnifying glass tilted left, telescope, microscope, globe showing Asia-Australia""")

KINDS: dict[str, tuple[str, ...]] = {
    **CATEGORIES,
    "weapon": WEAPONS,
    "alcohol": ALCOHOL,
    "money": MONEY,
    "other": OTHER,
}
"""Every object that is drawn, by what it is good for in a scene."""

OTHER_SPELLINGS: dict[str, tuple[str, ...]] = {
    "water pistol": ("pistol",),
    "cat": ("catside",),
    "dog": ("dogside",),
    "dove": ("doveofpeace",),
    "bouquet": ("bouquetofflowers",),
    "front-facing baby chick": ("frontfacingchick",),
    "spouting whale": ("spurtingwhale",),
    "honeybee": ("bee",),
    "lady beetle": ("ladybug",),
    "racing car": ("racecar",),
    "pizza": ("sliceofpizza",),
    "curry rice": ("curryandrice",),
    "fish cake with swirl": ("fishcakeswirl",),
    "steaming bowl": ("bowl",),
    "house": ("housebuilding",),
    "houses": ("housebuildings",),
    "post office": ("europeanpostoffice",),
    "castle": ("europeancastle",),
    "sake": ("sakebottleandcup",),
    "kitchen knife": ("hocho",),
    "dagger": ("daggerknife",),
    "cigarette": ("smokingsymbol",),
    "yen banknote": ("banknoteyen",),
    "dollar banknote": ("banknotedollar",),
    "euro banknote": ("banknoteeuro",),
    "wrapped gift": ("present",),
}
"""What older sets call an object."""
