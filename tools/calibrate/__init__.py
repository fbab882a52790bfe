"""How often intervals hold the truth, how often the rule is wrong, and whether probabilities come true."""
