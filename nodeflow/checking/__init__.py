"""From a document to a checked graph: groups resolved, every problem found before anything runs."""
