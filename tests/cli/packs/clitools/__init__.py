"""Small nodes for the tests of the command line."""
