"""Coverage-guided fuzzing of the verifier; needs atheris (Linux x86-64)."""
