"""The standard tables, and the reading of files into them.

`schema` declares the tables, `read` opens a file, `guess` proposes what it holds, `convert` turns text into
values, `load` puts the three together, `merge` adds new rows to a stored table without doubling them, and
`check` looks over what came in. Nothing here writes to disk.
"""
