"""Other ways to the same numbers: what the package computes is held against them."""
