"""People's privacy: pseudonyms, what is left out or masked, consent, erasure, retention, and who looked.

Everything here is a function of what it is given; `project.py` decides when it runs.
"""
