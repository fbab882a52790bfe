"""Pictures of every screen and every published page, in several widths, colour schemes and languages.

    python -m tools.pictures                          # into docs/pictures, with a list of them
    python -m tools.pictures --only 3-effect-lab --only page-effect
    python -m tools.pictures --all --to DIR           # in every width, scheme and language, elsewhere

A sample project (`shop`) is made and served with its screens. Every notebook and published page is opened
(`looks`), and the parts of a screen are read from its tabs (`camera`), so that nothing has to be listed by
hand. What changes from run to run is fixed beforehand or written over, and a picture that shows what the one
before showed is left alone: pictures change when pages do.
"""
