"""`python -m cogito_data` is `cogito-data`."""

from cogito_data.cli import main

main()
