"""The standard tables, and the reading of files into them.

`schema` declares the tables. A file is opened by `read` and cut into rows by `records`; `guess` proposes what
it holds, from `names` and `evidence`, and `plan` checks what is to be read; `convert` turns text into values,
cell by cell as `cells` says, and `grains` shapes the rows into tables. `load` walks this way and writes the
`report`. `merge` adds new rows to a stored table without doubling them, `check` looks over what came in.
Nothing here writes to disk.
"""
