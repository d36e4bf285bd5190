"""`python -m web.cli`, for where no console script is installed."""

from web.cli import main

main()
