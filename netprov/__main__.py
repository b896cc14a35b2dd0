"""Lets `python -m netprov` run the command."""

from netprov.cli import main

if __name__ == "__main__":
    main()
