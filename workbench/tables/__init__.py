"""The standard tables, and the reading of files into them.

`schema` declares the tables. A file is opened by one of `sources`; `guess` proposes what it holds, from
`names` and `evidence`, unless it is the export of one of `vendors`; `recipe` writes down what was decided
and `plan` checks it against the file. `reading` walks through it: `convert` turns text into values, cell by
cell as `cells` says, and `grains` shapes the rows into tables, with `money`, `surveys` and `labels`. `load`
walks this way and writes the `report`. `privacy` makes pseudonyms of people and keeps to what they agreed
to, `identity` knows which of them are the same, `merge` adds rows to a stored table without doubling them,
`checks` look over what came in.
"""
