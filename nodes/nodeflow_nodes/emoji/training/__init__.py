"""Scripts that fetch the emoji, train the embedded model and measure it."""
