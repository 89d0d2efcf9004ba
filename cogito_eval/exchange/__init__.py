"""Answers and results in the files of other programs: VLMEvalKit's prediction tables and inspect_ai's logs."""
