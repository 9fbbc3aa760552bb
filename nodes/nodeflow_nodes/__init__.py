"""Node packages shipped with nodeflow."""
