"""What to look at where an alert is, rule by rule: steps in the order in which they are done, Czech and English."""

from collections.abc import Mapping
from typing import Final

Both = tuple[str, str]
"""A text in Czech and in English."""

CHECKS: Final[Mapping[str, tuple[Both, ...]]] = {
    "leak": (
        (
            "V noci nebo o víkendu odečtěte vodoměr dvakrát po hodině, aniž by kdo odebíral; rozdíl je únik.",
            "At night or at the weekend read the meter twice an hour apart while nobody draws; the difference leaks.",
        ),
        (
            "Projděte toalety a pisoáry: dejte do nádržky barvivo a po 15 minutách zkontrolujte mísu.",
            "Go round toilets and urinals: put dye into the cistern and look at the bowl after 15 minutes.",
        ),
        (
            "Zkontrolujte pojistné ventily bojlerů, změkčovač vody a dopouštění topení.",
            "Check safety valves of boilers, the water softener and the filling of the heating.",
        ),
        (
            "Zavírejte větve jednu po druhé: na které se průtok zastaví, ta teče (zahrada, suterén, přípojka).",
            "Close the branches one by one: the one that stops the flow is the one that leaks.",
        ),
    ),
    "never_zero": (
        (
            "Najděte, co odebírá nepřetržitě: protékající toaletu, pisoár bez čidla, otevřený ventil.",
            "Find what draws all the time: a running toilet, a urinal without sensor, an open valve.",
        ),
        (
            "Je-li stálý odběr v pořádku (chlazení, technologie), vyřešte upozornění jako „Je to tak a zůstane“.",
            "Where that is right (cooling, a process), resolve the alert as “It is so and stays so”.",
        ),
    ),
    "burst": (
        (
            "Zavřete hlavní uzávěr a přesvědčte se, že se číselník zastavil.",
            "Close the main valve and see the dial stop.",
        ),
        (
            "Projděte suterén, šachty a přípojku; zkontrolujte hydranty a napouštění bazénu.",
            "Walk through basement, shafts and service pipe; check hydrants and the filling of a pool.",
        ),
        ("Zavolejte instalatéra nebo havarijní službu vodáren.", "Call a plumber or the waterworks' emergency line."),
    ),
    "dead": (
        (
            "Zkontrolujte napájení nebo baterii měřidla a vysílače.",
            "Check the power or battery of meter and transmitter.",
        ),
        (
            "Zkontrolujte signál a anténu; nestojí před vysílačem nová překážka?",
            "Check signal and antenna; is there something new in front of the transmitter?",
        ),
        (
            "Opište stav číselníku a zapište ho ručně, ať nechybí spotřeba.",
            "Read the dial and enter it by hand, so that no consumption is missing.",
        ),
    ),
    "gap": (
        ("Data zase chodí; spotřeba za mezeru je známa celkem.", "Data come again; the gap's total is known."),
        (
            "Opakuje-li se to, zkontrolujte signál, bránu a její napájení.",
            "Where it recurs, check signal, gateway and power.",
        ),
    ),
    "stuck": (
        ("Porovnejte číselník s poslední hodnotou zde.", "Compare the dial with the last value here."),
        (
            "Jde-li číselník a hodnota stojí, je vadný snímač impulzů nebo vysílač; stojí-li i číselník, měřidlo.",
            "Where the dial moves and the value stands, the pulse sensor or transmitter is faulty; else the meter.",
        ),
        ("Není budova zavřená nebo uzávěr zavřený?", "Is the building or a valve closed?"),
    ),
    "zeroed": (
        (
            "Zkontrolujte vysílač a jeho nastavení po restartu nebo výměně baterie.",
            "Check the transmitter and what it is set to after a restart or a new battery.",
        ),
        ("Ověřte vodiče mezi měřidlem a vysílačem.", "Check the wires between meter and transmitter."),
    ),
    "clipped": (
        ("Zkontrolujte rozsah převodníku.", "Check the transducer's range."),
        (
            "Porovnejte poměr proudových transformátorů na štítku s nastavením elektroměru.",
            "Compare the ratio on the current transformers with what the meter is set to.",
        ),
    ),
    "spike": (
        ("Podívejte se, zda číselník odpovídá poslední hodnotě.", "See whether the dial is at the last value."),
        (
            "Opakuje-li se to, zkontrolujte přenos, násobitel a převod jednotek.",
            "Where it recurs, check the transmission, the multiplier and the unit.",
        ),
    ),
    "break": (
        (
            "Bylo měřidlo vyměněno? Zapište výměnu s konečným a počátečním stavem.",
            "Was the meter exchanged? Record it with its final and first reading.",
        ),
        ("Nebylo-li, porovnejte číselník s poslední hodnotou.", "If not, compare the dial with the last value."),
    ),
    "reversed": (
        ("Zkontrolujte šipku na tělese měřidla proti směru toku.", "Check the arrow on the meter against the flow."),
        (
            "U elektroměru zkontrolujte zapojení fází a transformátorů.",
            "Of an electricity meter check phases and transformers.",
        ),
    ),
    "swapped": (
        (
            "Zkontrolujte, který registr je odběr (1.8.0) a který dodávka (2.8.0).",
            "Check which register is import (1.8.0) and which is export (2.8.0).",
        ),
    ),
    "capacity": (
        ("Zjistěte, co v té čtvrthodině běželo současně.", "Find out what ran at once in that quarter-hour."),
        (
            "Rozložte spouštění: ohřev vody, vzduchotechniku, kuchyň a nabíjení nepouštějte najednou.",
            "Spread the starts: water heating, ventilation, kitchen and charging not all at once.",
        ),
        (
            "Opakuje-li se to, přepočtěte rezervovanou kapacitu na stránce Náklady.",
            "Where it recurs, see the page Costs.",
        ),
    ),
    "capacity_projected": (
        (
            "Do konce čtvrthodiny vypněte, co může počkat: ohřev vody, vzduchotechniku, nabíjení.",
            "Until the quarter-hour ends switch off what can wait: water heating, ventilation, charging.",
        ),
    ),
    "base_load": (
        (
            "Projděte budovu, když je prázdná: větrání, cirkulační čerpadla, servery, chladničky, přímotopy.",
            "Walk through the empty building: ventilation, circulation pumps, servers, fridges, heaters.",
        ),
        ("Co přibylo od dne, kdy odběr vzrostl?", "What was added since the day on which it rose?"),
    ),
    "weekend_waste": (
        (
            "Zkontrolujte časové programy topení, větrání a ohřevu vody na sobotu a neděli.",
            "Check the time programmes of heating, ventilation and hot water on Saturday and Sunday.",
        ),
        ("Nebyla v budově akce? Pak je to v pořádku.", "Was there an event? Then all is well."),
    ),
    "holiday_waste": (
        (
            "Zadejte do časových programů svátky a prázdniny.",
            "Enter public and school holidays into the time programmes.",
        ),
        ("Nebyla v budově akce? Pak je to v pořádku.", "Was there an event? Then all is well."),
    ),
    "deviation": (
        ("Změnil se provoz nebo počet lidí?", "Did the use or the number of people change?"),
        (
            "Změnila se regulace: teplota, ekvitermní křivka, časový program?",
            "Did the control change: temperature, heating curve, time programme?",
        ),
        ("Bylo vyměněno měřidlo nebo změněn jeho násobitel?", "Was the meter exchanged or its multiplier changed?"),
    ),
    "drift": (
        ("Zkontrolujte nastavení regulace a čidla teploty.", "Check what the control is set to, and its sensors."),
        (
            "Zkontrolujte stav zařízení: zanesené filtry a výměníky, účinnost kotle, izolaci rozvodů.",
            "Check the plant: clogged filters and exchangers, the boiler's efficiency, insulation of pipes.",
        ),
    ),
    "heating_while_warm": (
        ("Přepněte regulaci na letní režim.", "Switch the control to summer mode."),
        (
            "Zkontrolujte ekvitermní křivku, venkovní čidlo a mez vypnutí topení.",
            "Check the heating curve, the outdoor sensor and the limit above which heating stops.",
        ),
        ("Neběží jen ohřev teplé vody? Pak je to v pořádku.", "Is it hot water alone? Then all is well."),
    ),
    "pv_below_expected": (
        (
            "Podívejte se na displej střídače: chyba nebo vypnutá větev?",
            "Look at the inverter: an error, a string off?",
        ),
        (
            "Zkontrolujte jističe, přepěťovou ochranu a stínění, sníh a listí.",
            "Check breakers, surge protection, shade, snow.",
        ),
    ),
    "source_silent": (
        (
            "Zkontrolujte napájení brány a zda svítí, jak má.",
            "Check that the gateway has power and its lights are right.",
        ),
        (
            "Zkontrolujte síť: kabel, přepínač, připojení k internetu, SIM.",
            "Check the network: cable, switch, internet, SIM.",
        ),
        (
            "Zkontrolujte, zda běží broker; jednotlivá měřidla až potom.",
            "Check that the broker runs; single meters only then.",
        ),
    ),
}
OTHERWISE: Final[tuple[Both, ...]] = (
    ("Porovnejte průběh s provozem budovy.", "Compare the chart with what the building did."),
)


def checks(rule: str, language: str) -> tuple[str, ...]:
    """Return what to look at, step by step."""
    return tuple(both[0 if language == "cs" else 1] for both in CHECKS.get(rule, OTHERWISE))
