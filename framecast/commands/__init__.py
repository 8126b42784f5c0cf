"""The commands of the command line: one file for each, with its line of help, its options, and what it does.

All files are read for any command's `--help`. What takes seconds to import is therefore imported by `run`.
"""
