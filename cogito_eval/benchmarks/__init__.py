"""What a manifest cannot say about a benchmark: one small module each, named by the manifest's key `module`.

A module may define any of these functions:

    load(benchmark, root) -> ItemSet              records that are no files of a known format
    adapt(record, path) -> record | None          a record before its columns are read; None leaves it out
    spec(record) -> dict                          what the strict verifier needs to know of this record
    official_row(record, choices) -> dict         what the released rule reads beside the columns; None: no verdict
    own_prompt(item) -> str                       the benchmark's own prompt where a template does not do
    metrics(questions) -> dict                    scores over several questions (worst case, consistency)
"""
